import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  title: say(
    'Scale up, scale out: make the service stateless',
    'スケールアップとスケールアウト：サービスをステートレスにする',
  ),
  summary: say(
    'A second instance, and users are logged out on every other click. Find what the process remembers, move it to where all instances see it, make writes safe to repeat, stop without breaking a request, and use all cores with one pool.',
    '2台目を足すと、2回に1回ログアウトされます。プロセスが覚えているものを見つけ、どのインスタンスからも見える場所へ移します。繰り返しても安全な書き込み、リクエストを壊さない停止、接続を増やさずに全コアを使う方法まで作ります。',
  ),
  roles: ['server'],
  topology: {
    pg: { kind: 'postgres', settings: { max_connections: 30 } },
    redis: { kind: 'redis' },
  },
  budget: 8500,
  steps: [
    {
      id: 'messages',
      title: say('Move the data out of the process', 'データをプロセスの外へ出す'),
      points: 10,
      hints: [
        say(
          'Which variable would the second instance have to know?',
          '2台目のインスタンスも知っていなければならない変数は、どれですか。',
        ),
        say(
          'The pool is already there, in `src/stores.ts`: `INSERT … RETURNING` and `SELECT … ORDER BY id`, and let Postgres give the ids.',
          'プールは`src/stores.ts`にあります。`INSERT … RETURNING`と`SELECT … ORDER BY id`を使い、IDはPostgresに振ってもらいます。',
        ),
        say(
          "`const { rows } = await pool.query('insert into messages (channel, author, text) values ($1, $2, $3) returning id::int, channel, author, text', [channel, author, text])`.",
          "`const { rows } = await pool.query('insert into messages (channel, author, text) values ($1, $2, $3) returning id::int, channel, author, text', [channel, author, text])`。",
        ),
      ],
    },
    {
      id: 'sessions',
      title: say('One login for all instances', 'どのインスタンスでも同じログイン'),
      points: 20,
      hints: [
        say('A session is data. Who owns it?', 'セッションもデータです。持ち主は誰ですか。'),
        say(
          "Random id in the cookie, the rest in Redis with an expiry; a store that can't be asked is 503, not 'logged out'.",
          'クッキーには乱数のIDだけを入れ、残りは期限を付けてRedisに置きます。ストアに聞けないときは503です。「ログアウト済み」ではありません。',
        ),
        say(
          '`SET session:<id> <user> PX <ttl>`, `GET`, `DEL`; `new Redis(url, { commandTimeout: 500, maxRetriesPerRequest: 1 })` and an `error` listener, or requests hang while Redis is away.',
          '`SET session:<id> <user> PX <ttl>`、`GET`、`DEL`を使います。接続は`new Redis(url, { commandTimeout: 500, maxRetriesPerRequest: 1 })`とし、`error`のリスナーも付けます。そうしないと、Redisが落ちている間リクエストが返りません。',
        ),
      ],
    },
    {
      id: 'counters',
      title: say('Count without losing', '取りこぼさずに数える'),
      points: 10,
      hints: [
        say('Read, add, write: what happens between?', '読む、足す、書く。その間に何が起きますか。'),
        say(
          'Let the store add: one command, one statement.',
          '足し算はストアに任せます。コマンド一つ、または文一つで済ませます。',
        ),
        say(
          '`INCR`, or `INSERT … ON CONFLICT (page) DO UPDATE SET views = page_views.views + 1 RETURNING views`.',
          '`INCR`、または`INSERT … ON CONFLICT (page) DO UPDATE SET views = page_views.views + 1 RETURNING views`です。',
        ),
      ],
    },
    {
      id: 'uploads',
      title: say('No instance owns a file', 'ファイルを持つインスタンスはない'),
      points: 15,
      hints: [
        say('`./uploads` is on whose disk?', '`./uploads`は、誰のディスクにありますか。'),
        say(
          'Bytes, not text: collect the chunks, count while you collect, store once at the end.',
          '文字列ではなくバイト列として扱います。チャンクを集めながら大きさを数え、最後に一度だけ保存します。',
        ),
        say(
          "`for await (const chunk of c.req.raw.body)` with a running size; `bytea` column; `createHash('sha256')` for the `ETag`. (Production: object storage; the page says why.)",
          "`for await (const chunk of c.req.raw.body)`で大きさを足しながら集め、`bytea`の列に入れます。`ETag`は`createHash('sha256')`で作ります。（本番ではオブジェクトストレージを使います。理由は本文にあります。）",
        ),
      ],
    },
    {
      id: 'idempotent',
      title: say('Safe to repeat', '繰り返しても安全な書き込み'),
      points: 20,
      hints: [
        say(
          'The client saw a time-out. Did the order happen? Let it ask again.',
          'クライアントにはタイムアウトしか見えません。注文は成立したのでしょうか。もう一度聞けるようにしてください。',
        ),
        say(
          'The key must be stored by the same commit as the order, and uniqueness must be decided by the database, not by a question before.',
          'キーは注文と同じコミットで保存します。重複かどうかは、事前に問い合わせて決めるのではなく、データベースに決めさせます。',
        ),
        say(
          "`idempotency_key text unique, fingerprint text`; `INSERT … ON CONFLICT (idempotency_key) DO NOTHING`, then `SELECT` by key and compare the fingerprint: a second insert of the key waits for the first one's commit.",
          '`idempotency_key text unique, fingerprint text`の列を足し、`INSERT … ON CONFLICT (idempotency_key) DO NOTHING`のあと、キーで`SELECT`してフィンガープリントを比べます。同じキーの2回目の挿入は、1回目のコミットを待ちます。',
        ),
      ],
    },
    {
      id: 'shutdown',
      title: say('Stop without breaking a request', 'リクエストを壊さずに止まる'),
      points: 10,
      hints: [
        say(
          'Which connections are open when the last answer has gone?',
          '最後の応答を返したあと、どの接続がまだ開いていますか。',
        ),
        say(
          'Stop listening, answer the rest with `Connection: close`, end the pool, and set a deadline for all of it.',
          '新しい接続の受け付けを止め、残りのリクエストには`Connection: close`を付けて応答し、プールを閉じます。その全体に期限を付けます。',
        ),
        say(
          '`server.close(async () => { await pool.end(); process.exit(0); })`, a flag that adds `Connection: close`, `setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()`.',
          '`server.close(async () => { await pool.end(); process.exit(0); })`、`Connection: close`を付けるためのフラグ、`setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()`の3つです。',
        ),
      ],
    },
    {
      id: 'scale-up',
      title: say('All cores, one pool', 'すべてのコアを使い、接続は増やさない'),
      points: 15,
      hints: [
        say(
          'How many pools does your instance have now?',
          '今、1つのインスタンスにプールはいくつありますか。',
        ),
        say(
          '`node:cluster` forks; each worker is a small instance: its share of the connections, its own shutdown.',
          '`node:cluster`はプロセスを増やします。ワーカーはそれぞれ小さなインスタンスです。接続は割り当てられた分だけ使い、停止も自分で行います。',
        ),
        say(
          "`cluster.fork({ WORKER_INDEX: String(i) })`, `max: share(DB_POOL_MAX, PROCESSES, index)`, `worker.on('exit', …)` forks again unless stopping; the first process forwards SIGTERM and waits.",
          "`cluster.fork({ WORKER_INDEX: String(i) })`で増やし、プールは`max: share(DB_POOL_MAX, PROCESSES, index)`にします。`worker.on('exit', …)`では、停止中でなければもう一度forkします。最初のプロセスはSIGTERMを伝えて待ちます。",
        ),
      ],
    },
  ],
})
