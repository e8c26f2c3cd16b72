import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  title: say('Two servers, split by hand', '2台のサーバーに手動で振り分ける'),
  summary: say(
    'Users A to M live on one server, N to Z on the other. Build what keeps the two halves honest: refusals that point to the right place, reads across, changes that arrive once, and metrics that add up.',
    'A〜Mのユーザーは1台目、N〜Zのユーザーは2台目に置きます。担当外のリクエストを正しい相手に案内し、相手のデータを読み、変更を一度だけ届け、2台分のメトリクスを正しく足し合わせます。',
  ),
  roles: ['server'],
  topology: { 'pg-1': { kind: 'postgres' }, 'pg-2': { kind: 'postgres' } },
  budget: 13_000,
  steps: [
    {
      id: 'split',
      title: say('Serve your half, point to the other', '自分の担当だけ処理し、担当外は相手を案内する'),
      points: 15,
      hints: [
        say(
          'Who owns this id? Ask before anything else happens.',
          'このIDは誰の担当ですか。ほかの処理より先に確かめてください。',
        ),
        say(
          'One middleware in front of the three routes: missing, invalid, not mine, in this order; then the handlers need not care, and a `GET` only reads.',
          '3つのルートの手前にミドルウェアを一つ置きます。「ない」「不正」「担当外」の順に調べれば、ハンドラーは担当を気にせずに済みます。`GET`は読むだけにします。',
        ),
        say(
          "`const [from, to] = PARTITION.split('-')`; compare the upper-cased first letter; answer `c.json({ error: 'misdirected_request', correctServer: PEER_NAME, correctUrl: PEER_URL }, 421)`; write with `INSERT … ON CONFLICT (user_id) DO UPDATE`.",
          "`const [from, to] = PARTITION.split('-')`で両端を取り出し、大文字にした先頭の文字と比べます。担当外には`c.json({ error: 'misdirected_request', correctServer: PEER_NAME, correctUrl: PEER_URL }, 421)`を返します。書き込みは`INSERT … ON CONFLICT (user_id) DO UPDATE`です。",
        ),
      ],
    },
    {
      id: 'cross-read',
      title: say('Read from the other server', '相手のサーバーから読む'),
      points: 15,
      hints: [
        say(
          "The other server's database is not yours: ask the server.",
          '相手のデータベースはあなたのものではありません。相手のサーバーに聞いてください。',
        ),
        say(
          "Give the peer an internal route that reads only and answers only what it owns, and give every call a time limit; don't call its public route in somebody else's name.",
          '相手が呼ぶための内部ルートを作ります。読むだけで、自分の担当しか答えないルートです。呼び出しには必ず制限時間を付けます。他人の名前を騙って公開ルートを呼んではいけません。',
        ),
        say(
          "`fetch(PEER_URL + '/internal/profile/' + encodeURIComponent(id), { headers: { token, 'x-request-id' }, signal: AbortSignal.timeout(PEER_TIMEOUT_MS) })`; 404 → 404; not ok or thrown → 502.",
          "`fetch(PEER_URL + '/internal/profile/' + encodeURIComponent(id), { headers: { token, 'x-request-id' }, signal: AbortSignal.timeout(PEER_TIMEOUT_MS) })`で聞きます。404はそのまま404に、それ以外の失敗と例外は502にします。",
        ),
      ],
    },
    {
      id: 'health',
      title: say('Health without a chain reaction', '連鎖しないヘルスチェック'),
      points: 15,
      hints: [
        say(
          "What does your `/health` cost the peer, and what does the peer's cost you?",
          'あなたの`/health`は、相手に何をさせますか。相手の`/health`は、あなたに何をさせますか。',
        ),
        say(
          'Check the peer on a timer, remember the result; `/health` only reads the memory. Your own database is asked, with a time limit.',
          '相手の確認はタイマーで行い、結果を覚えておきます。`/health`は覚えた結果を読むだけです。自分のデータベースにはその場で聞き、制限時間を付けます。',
        ),
        say(
          "`setInterval(check, PEER_CHECK_MS)` with `AbortSignal.timeout`; `pool.query({ text: 'select 1', query_timeout: DB_TIMEOUT_MS })` and `connectionTimeoutMillis` in the pool.",
          "相手は`setInterval(check, PEER_CHECK_MS)`と`AbortSignal.timeout`で確認します。データベースには`pool.query({ text: 'select 1', query_timeout: DB_TIMEOUT_MS })`で聞き、プールに`connectionTimeoutMillis`を設定します。",
        ),
      ],
    },
    {
      id: 'queue',
      title: say('A change arrives, whatever breaks', '何が壊れても変更を届ける'),
      points: 20,
      limit: 40_000,
      hints: [
        say(
          'If the process dies on this line, who still knows about the change?',
          'この行でプロセスが落ちたら、変更のことを覚えているのは誰ですか。',
        ),
        say(
          'Write the setting, the record and what is still to be sent in one transaction; a loop sends what is not yet confirmed, and only a 2xx confirms.',
          '設定、変更の記録、未送信であることを、一つのトランザクションで書き込みます。確認の取れていない変更はループで送り続けます。確認とみなすのは2xxの応答だけです。',
        ),
        say(
          '`BEGIN; INSERT INTO setting_changes …; INSERT … ON CONFLICT …; COMMIT`, then `void deliver()`; `setInterval(deliver, SYNC_RETRY_MS)`; `fetch` does not throw for 500, so look at `res.ok`.',
          '`BEGIN; INSERT INTO setting_changes …; INSERT … ON CONFLICT …; COMMIT`のあとで`void deliver()`を呼び、`setInterval(deliver, SYNC_RETRY_MS)`でも呼びます。`fetch`は500では例外を投げないので、`res.ok`を調べます。',
        ),
      ],
    },
    {
      id: 'once',
      title: say('Once and in order', '一度だけ、順番どおりに'),
      points: 15,
      limit: 40_000,
      hints: [
        say(
          "The reply got lost. Was it applied? The sender can't know, so the receiver must.",
          '応答が途中で失われました。変更は反映されたのでしょうか。送る側には分かりません。分かるのは受け取る側だけです。',
        ),
        say(
          'Number the changes of each server 1, 2, 3 … in commit order; the receiver remembers the last number it applied, in the same transaction.',
          'サーバーごとに、変更へコミット順に1、2、3…と番号を振ります。受け取る側は、最後に反映した番号を、反映と同じトランザクションで記録します。',
        ),
        say(
          '`UPDATE sync_state SET seq = seq + 1 RETURNING seq` holds a row lock until commit, so numbers and commits have one order; a `bigserial` does not. Receiver: `SELECT applied … FOR UPDATE`, skip `seq <= applied`, apply `applied + 1`.',
          '`UPDATE sync_state SET seq = seq + 1 RETURNING seq`はコミットまで行ロックを持つので、番号の順とコミットの順がそろいます。`bigserial`ではそろいません。受け取る側は`SELECT applied … FOR UPDATE`で読み、`seq <= applied`なら飛ばし、`applied + 1`なら反映します。',
        ),
      ],
    },
    {
      id: 'agree',
      title: say('Both changed it: agree', '両方で変更されても一致する'),
      points: 10,
      limit: 40_000,
      hints: [
        say(
          "Each applied the other's change last. Now they have swapped.",
          'どちらも、相手の変更を最後に反映しました。その結果、値が入れ替わっています。',
        ),
        say(
          'Decide by something both servers know about both changes, never by when it arrived here.',
          '勝敗は、両方のサーバーが両方の変更について知っていることで決めます。自分に届いた順で決めてはいけません。',
        ),
        say(
          'A Lamport clock: `clock = clock + 1` for a change, `clock = max(clock, theirs)` on receipt; greater `(clock, server name)` wins: `… DO UPDATE … WHERE (excluded.clock, excluded.origin) > (s.clock, s.origin)`.',
          'Lamportの論理時計を使います。変更したら`clock = clock + 1`、受け取ったら`clock = max(clock, theirs)`とし、`(clock, サーバー名)`の大きい方を勝ちにします。SQLでは`… DO UPDATE … WHERE (excluded.clock, excluded.origin) > (s.clock, s.origin)`です。',
        ),
      ],
    },
    {
      id: 'metrics',
      title: say('Metrics that add up', '正しく合算できるメトリクス'),
      points: 10,
      hints: [
        say(
          'Four slow requests weigh as much as thirty fast ones. Should they?',
          '遅い4件と速い30件が、同じ重みで扱われています。それでよいでしょうか。',
        ),
        say(
          "Ship sums and counts, divide at the end. A percentile can't be averaged either: ship the histogram.",
          '合計と件数を渡し、割り算は最後にします。パーセンタイルも平均できないので、ヒストグラムごと渡します。',
        ),
        say(
          'Merge by adding `count`, `sum` and each bucket; p95 is the first bucket whose count ≥ ceil(0.95 × count).',
          '`count`、`sum`、各バケットをそれぞれ足します。p95は、件数がceil(0.95 × count)以上になる最初のバケットです。',
        ),
      ],
    },
  ],
})
