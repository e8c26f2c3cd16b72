import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

const register = { kind: 'redis' } as const

export default defineLab({
  title: say('Redis Cluster and quorum', 'Redis Clusterと定足数'),
  summary: say(
    'A shared cache spread over three Redis nodes, and everything that a node can do to its clients: die, freeze, disappear behind the network, come back with its memory. Then a small replicated register that keeps its promise when the network is cut in two.',
    '共有キャッシュを3台のRedisノードに広げます。ノードは落ち、固まり、ネットワークの向こうに消え、昔の記憶を持って帰ってきます。そのすべてに備えたあと、ネットワークが二つに割れても約束を守る、小さなレジスターを作ります。',
  ),
  roles: ['server', 'quorum'],
  topology: {
    pg: { kind: 'postgres' },
    cache: { kind: 'redis-cluster', behindLinks: true, settings: { 'cluster-node-timeout': 5000 } },
    q1: register,
    q2: register,
    q3: register,
    q4: register,
    q5: register,
  },
  budget: 22_000,
  steps: [
    {
      id: 'slots',
      title: say('One cache on three nodes', '三台で一つのキャッシュ'),
      points: 10,
      hints: [
        say(
          'Ask one node for a key of another and print the error: it says where the key lives.',
          'あるノードに、別のノードのキーを聞いてエラーを表示してください。キーの居場所が書いてあります。',
        ),
        say(
          'A cluster client keeps the map for you. Which part of the key decides the slot, and is that part different for different products?',
          'クラスター用のクライアントは、地図を自分で持ちます。スロットを決めるのはキーのどの部分ですか。商品が違えば、その部分も違いますか。',
        ),
        say(
          '`new Cluster([{ host, port }, …], { redisOptions: { commandTimeout, maxRetriesPerRequest: 0 } })`, with every address of `REDIS_CLUSTER_NODES`; the key holds `encodeURIComponent(id)`.',
          '`REDIS_CLUSTER_NODES`の全アドレスを`new Cluster([{ host, port }, …], { redisOptions: { commandTimeout, maxRetriesPerRequest: 0 } })`に渡します。キーには`encodeURIComponent(id)`を入れます。',
        ),
      ],
    },
    {
      id: 'hash-tags',
      title: say('What belongs together', '一緒に置くもの、散らすもの'),
      points: 15,
      hints: [
        say(
          'Which two keys must be read at the same moment, and which must not sit together?',
          '同時に読むべき二つのキーはどれですか。同じ場所に置いてはいけないのはどれですか。',
        ),
        say(
          'Only what stands between the first `{` and the next `}` is hashed. And a fill that comes late must not replace what is newer than it.',
          'ハッシュされるのは、最初の`{`と次の`}`の間だけです。また、遅れて届いた書き込みが、自分より新しい値を上書きしてはいけません。',
        ),
        say(
          '`` `p:{${encodeURIComponent(id)}}:stock` ``: encoding removes braces from the user’s text. Group a batch by slot and send one `MGET` per slot, in parallel. Store `version` in each part, and fill by a script that keeps the larger one.',
          '`` `p:{${encodeURIComponent(id)}}:stock` ``とします。エンコードすれば、利用者の文字列から波括弧が消えます。一括取得はスロットごとにまとめ、スロットごとに`MGET`を一つ、並行に送ります。各部分に`version`を入れ、大きいほうを残すスクリプトで書き込みます。',
        ),
      ],
    },
    {
      id: 'resharding',
      title: say('Follow the slot', '移動するスロットを追う'),
      points: 10,
      hints: [
        say(
          'There are two redirections: one means “from now on”, one “only this time”.',
          'リダイレクトは2種類あります。一方は「今後ずっと」、もう一方は「今回だけ」です。',
        ),
        say(
          'The client does both. A script or an `MGET` over a slot that is half moved may also be told to try again: how long may the reader wait for that?',
          'どちらもクライアントが処理します。半分だけ移ったスロットへのスクリプトや`MGET`には「あとでもう一度」が返ることもあります。読み手をどれだけ待たせてよいでしょうか。',
        ),
        say(
          'Treat `TRYAGAIN` and a time-out as “the cache did not answer” and read Postgres. ioredis repeats `TRYAGAIN` by `retryDelayOnTryAgain` and `maxRedirections`; keep both small, or let `commandTimeout` end the wait.',
          '`TRYAGAIN`とタイムアウトは「キャッシュが答えなかった」とみなし、Postgresを読みます。ioredisは`retryDelayOnTryAgain`と`maxRedirections`に従って`TRYAGAIN`を繰り返します。両方を小さくするか、`commandTimeout`で待ちを打ち切ります。',
        ),
      ],
    },
    {
      id: 'node-down',
      title: say('One node gone, nobody notices', '一台落ちても気づかれない'),
      points: 20,
      limit: 30_000,
      hints: [
        say(
          'Print the whole error that your client gives: for a dead node, a frozen one, and a cluster that has closed.',
          'クライアントが返すエラーを丸ごと表示してください。落ちたノード、固まったノード、閉じたクラスターの三つの場合です。',
        ),
        say(
          'Decide by “did the cache answer?”, not by the kind of error. And put a clock on every command.',
          'エラーの種類ではなく「キャッシュは答えたか」で決めます。そして、どのコマンドにも時計を付けます。',
        ),
        say(
          '`try { … } catch { bypass }` around every cache call; `commandTimeout`, `retryDelayOnClusterDown: 0`, `retryDelayOnFailover: 0`, `enableOfflineQueue: false`; after two time-outs of a node don’t ask it for 200 ms.',
          'キャッシュの呼び出しをすべて`try { … } catch { bypass }`で囲みます。`commandTimeout`、`retryDelayOnClusterDown: 0`、`retryDelayOnFailover: 0`、`enableOfflineQueue: false`を設定し、2回タイムアウトしたノードには200ミリ秒の間たずねません。',
        ),
      ],
    },
    {
      id: 'return',
      title: say('Come back without the past', '過去を連れて帰らない'),
      points: 15,
      limit: 30_000,
      hints: [
        say(
          'The node was away, but its memory was not lost. Who tells it what happened?',
          'ノードは離れていただけで、記憶は失っていません。その間のできごとを、誰が伝えますか。',
        ),
        say(
          'An invalidation that failed must be remembered somewhere that survives you. Where is the truth already?',
          '失敗した無効化は、あなたが消えても残る場所に覚えさせます。真実はすでにどこにありますか。',
        ),
        say(
          'Insert into `cache_outbox` in the transaction of the update. After the commit, and every 200 ms, take rows (`FOR UPDATE SKIP LOCKED`), bring the cache up to date, and delete a row only if that worked.',
          '更新と同じトランザクションで`cache_outbox`に行を入れます。コミットのあと、そして200ミリ秒ごとに行を取り出し（`FOR UPDATE SKIP LOCKED`）、キャッシュを最新にします。成功した行だけを消します。',
        ),
      ],
    },
    {
      id: 'quorum',
      title: say('Three of five', '五台中三台'),
      points: 15,
      limit: 30_000,
      hints: [
        say(
          'If any three answer the writer and any three the reader, how many nodes have heard both?',
          'どの3台でも書き手に答えてよく、どの3台でも読み手に答えてよいとき、両方を聞いたノードは何台ありますか。',
        ),
        say(
          'A version must be larger than every version acknowledged before: ask first.',
          'バージョンは、それまでに承認されたどのバージョンより大きくなければなりません。まず聞いてください。',
        ),
        say(
          'Round 1: read the versions of `READ_QUORUM` nodes. Round 2: send `(largest n + 1, own name)` to all and wait for `WRITE_QUORUM`. Never give the same n twice in a process. On the node, a Lua script that stores only a larger `(n, w)`.',
          '1巡目で`READ_QUORUM`台のバージョンを読みます。2巡目で`(最大のn + 1, 自分の名前)`を全台に送り、`WRITE_QUORUM`台の返事を待ちます。同じプロセスで同じnを2度使いません。ノードでは、より大きい`(n, w)`だけを保存するLuaスクリプトを動かします。',
        ),
      ],
    },
    {
      id: 'partition',
      title: say('Two sides of a cut', '分断の両側'),
      points: 15,
      limit: 30_000,
      hints: [
        say(
          'Which nodes count: those that you can see, or those that there are?',
          '数えるのはどちらですか。見えているノードか、存在するノードか。',
        ),
        say(
          'A quorum is of N, always. And what did the refused write leave behind?',
          '定足数は、いつもN台に対するものです。では、断られた書き込みは何を残しましたか。',
        ),
        say(
          'A reader that met the newest version on fewer than N − R + 1 nodes writes it back to `WRITE_QUORUM` nodes *before* it answers.',
          '最新のバージョンを持つノードがN − R + 1台に満たなければ、読み手は答える*前に*、`WRITE_QUORUM`台へ書き戻します。',
        ),
      ],
    },
  ],
})
