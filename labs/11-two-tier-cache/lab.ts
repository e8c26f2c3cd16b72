import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

/** A step takes 3 to 5 s on two quiet processors. With two other labs beside it, it took more than 20. */
const LIMIT = 45_000

export default defineLab({
  title: say('Two-tier cache', '二層キャッシュ'),
  summary: say(
    'Four servers remember the price, each for itself, over one Redis, over one Postgres. Build a cache whose answers are right, or old for a known time: through late fills, lost messages and values that look like nothing.',
    '4台のサーバーが、それぞれのメモリに価格を覚えています。その下にRedis、さらに下にPostgresがあります。遅れた書き戻し、届かなかった無効化、「無」に見える値があっても、答えが正しいか、古さの上限がわかるキャッシュを作ります。',
  ),
  roles: ['server'],
  topology: { pg: { kind: 'postgres' }, redis: { kind: 'redis' } },
  budget: 15_000,
  steps: [
    {
      id: 'read-through',
      title: say('Ask memory, then Redis, then Postgres', 'メモリ、Redis、Postgresの順に'),
      points: 10,
      limit: LIMIT,
      hints: [
        say(
          'A read has three places to ask. Write them down in the order of their price.',
          '読み取りが尋ねる先は三つあります。安い順に並べてみてください。',
        ),
        say(
          'What a lower tier answered is put into every tier above it. Whom does a read have to tell about that? Nobody.',
          '下の層が答えたものは、その上のすべての層に入れます。読み取りは、それを誰かに知らせる必要があるでしょうか。ありません。',
        ),
        say(
          "`l1.get(k) ?? await fromRedis(k) ?? await fromPostgres(k)`, each storing upwards. `pool.on('error')` and `redis.on('error')` need a listener, or the first broken connection ends the process.",
          "`l1.get(k) ?? await fromRedis(k) ?? await fromPostgres(k)`とし、それぞれが上の層に入れます。`pool.on('error')`と`redis.on('error')`にはリスナーが必要です。ないと、接続が一度切れただけでプロセスが終わります。",
        ),
      ],
    },
    {
      id: 'values',
      title: say('Zero, empty, null, absent', '0・空・null・存在しない'),
      points: 15,
      limit: LIMIT,
      hints: [
        say(
          'Which of these values does `if (value)` take for a miss?',
          '`if (value)`がキャッシュミスと見なす値は、この中のどれですか。',
        ),
        say(
          'A tier has to be able to say three things: a value, "absent", and "I do not know". Is there something that it says for two of them?',
          '各層は三つのことを言い分けなければなりません。「この値」「存在しない」「知らない」です。二つを同じ言い方で済ませていませんか。',
        ),
        say(
          'Store an envelope `{ found, value, version }` in both tiers and parse it in one place only, so that every path hands on the same thing. L1 is a `Map`, not an object: `{}` already knows `constructor`.',
          '両方の層に封筒`{ found, value, version }`を入れ、パースは一か所だけで行います。どの経路を通っても同じものが渡ります。L1はオブジェクトではなく`Map`にします。`{}`は最初から`constructor`を知っています。',
        ),
      ],
    },
    {
      id: 'write-path',
      title: say('Write once, forget everywhere', '一度書いて全員が忘れる'),
      points: 15,
      limit: LIMIT,
      hints: [
        say(
          'Who else remembers this key, and who tells them?',
          'このキーを覚えているのは、ほかに誰ですか。その相手には誰が知らせますか。',
        ),
        say(
          'Commit first, then Redis, then tell. Whatever is forgotten before the commit is fetched back old by the next reader.',
          'まずコミット、次にRedis、最後に知らせます。コミットより前に忘れさせると、次の読み手が古い値を取り戻してしまいます。',
        ),
        say(
          'Publish `{ key, version }`. Who receives it drops the L1 entry if that is older than the version. The fill path publishes nothing.',
          '`{ key, version }`をpublishします。受け取った側は、L1の項目がその版より古ければ捨てます。読み取りの経路からは何もpublishしません。',
        ),
      ],
    },
    {
      id: 'races',
      title: say('A late fill must not win', '遅れた書き戻しに勝たせない'),
      points: 20,
      limit: LIMIT,
      hints: [
        say(
          "Draw the reader's and the writer's time as two lines. At which moment did the value in the reader's hand become old?",
          '読み手と書き手の時間を2本の線で描いてみてください。読み手が手に持っている値は、どの瞬間に古くなりましたか。',
        ),
        say(
          'Deleting an entry forgets which version was deleted, so a late fill finds an empty place. Compare versions instead.',
          '項目を消すと、「どの版を」消したかも忘れてしまい、遅れた書き戻しは空いた場所を見つけます。消す代わりに版を比べてください。',
        ),
        say(
          'L2: a Lua script that stores only what is not older; a delete leaves a small marker with its version. L1: for each key that is being filled, remember the largest version that an invalidation has named, and store nothing below it.',
          'L2では、Luaスクリプトで「古くないもの」だけを入れます。削除は、版だけを持つ小さな印を残します。L1では、書き戻し中のキーごとに、無効化が名指しした最大の版を覚え、それより古いものを入れません。',
        ),
      ],
    },
    {
      id: 'lost-message',
      title: say('The message that never came', '届かなかった無効化'),
      points: 20,
      limit: LIMIT,
      hints: [
        say(
          'Redis delivers a published message at most once. What does a server know about the messages that were sent while it was away?',
          'Redisのpub/subは、メッセージを高々一度しか届けません。切断中に送られたメッセージについて、サーバーは何を知っていますか。',
        ),
        say(
          'Nothing. So everything in L1 is suspect from the moment of the break until the subscription stands again, and what is filled in between as well.',
          '何も知りません。だから、切れた瞬間から購読が戻るまで、L1の中身はすべて疑わしいのです。その間に入れたものも同じです。',
        ),
        say(
          '`autoResubscribe: false`; on `ready`: `await sub.subscribe(…)`, and only then `l1.clear()`. Give commands a limit (`commandTimeout`, `maxRetriesPerRequest: 0`, `enableOfflineQueue: false`), and keep what could not be announced until Redis is back.',
          '`autoResubscribe: false`にし、`ready`で`await sub.subscribe(…)`を待ってから`l1.clear()`します。コマンドには上限を付けます（`commandTimeout`、`maxRetriesPerRequest: 0`、`enableOfflineQueue: false`）。知らせられなかった書き込みは、Redisが戻るまで覚えておきます。',
        ),
      ],
    },
    {
      id: 'expiry',
      title: say('Time as the last defence', '最後の守りとしてのTTL'),
      points: 10,
      limit: LIMIT,
      hints: [
        say(
          '10,000 keys are filled within one second. When do they all expire? And how many of them does one process hold?',
          '1秒の間に1万個のキーが入りました。期限が切れるのはいつですか。一つのプロセスは、そのうち何個を持ちますか。',
        ),
        say(
          'Draw the life of each entry anew. Count the entries, absent ones too, and make room before you are full.',
          '寿命は項目ごとに引き直します。「存在しない」も含めて項目を数え、あふれる前に場所を空けます。',
        ),
        say(
          '`ttl * (0.9 + 0.2 * Math.random())`. A `Map` keeps the order of insertion: delete and set on use, and drop `map.keys().next().value` when it is too large.',
          '`ttl * (0.9 + 0.2 * Math.random())`とします。`Map`は挿入した順を保ちます。使うたびに削除して入れ直し、大きくなりすぎたら`map.keys().next().value`を捨てます。',
        ),
      ],
    },
    {
      id: 'metrics',
      title: say('Know what the cache does', 'キャッシュを数字で見る'),
      points: 10,
      limit: LIMIT,
      hints: [
        say(
          'Count where the answer is known, not where it is tried.',
          '試した場所ではなく、答えがわかった場所で数えます。',
        ),
        say(
          'Keep the last 1000 times in a ring: a place to write that goes round. Sort a copy when you are asked.',
          '直近1000件の時間をリングバッファーに入れます。書く位置がぐるりと回る配列です。聞かれたときに、複製を並べ替えます。',
        ),
        say(
          'Nearest rank: `sorted[Math.ceil(p * n) - 1] ?? 0`; `hitRate` is a number, 0 when there was no request.',
          '最近順位法では`sorted[Math.ceil(p * n) - 1] ?? 0`です。`hitRate`は数値で、リクエストがなければ0です。',
        ),
      ],
    },
  ],
})
