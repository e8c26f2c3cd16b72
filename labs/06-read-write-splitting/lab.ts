import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  title: say('Read/write splitting', '読み書き分離'),
  summary: say(
    'One primary, two idle replicas and an analytical one. Build the gateway that sends each statement to a node that can run it correctly: writes that look like reads, transactions on one connection, reads that must be fresh, replicas that die.',
    'プライマリ1台と、遊んでいるレプリカ2台、分析用レプリカ1台があります。SQLを正しく実行できるノードへ送るゲートウェイを作ります。読み取りに見える書き込み、一つの接続で続くトランザクション、最新でなければならない読み取り、落ちるレプリカを扱います。',
  ),
  roles: ['gateway'],
  topology: { primary: { kind: 'replicated', replicas: ['replica-1', 'replica-2', 'analytics'] } },
  budget: 8_500,
  steps: [
    {
      id: 'split',
      title: say(
        'Writes to the primary, reads to the replicas',
        '書き込みはプライマリへ、読み取りはレプリカへ',
      ),
      points: 15,
      hints: [
        say(
          'How many pools does a gateway with four nodes need?',
          'ノードが4台あるゲートウェイには、プールがいくつ必要ですか。',
        ),
        say(
          'Keep a counter; the next replica is `counter % replicas.length`; a write goes to the pool of `DATABASE_URL`.',
          'カウンターを一つ持ち、次のレプリカを`counter % replicas.length`で選びます。書き込みは`DATABASE_URL`のプールへ送ります。',
        ),
        say(
          '`const isRead = /^\\s*select/i.test(sql)` is enough to turn this step green. The next step breaks it.',
          'このステップを通すだけなら`const isRead = /^\\s*select/i.test(sql)`で足ります。次のステップで通用しなくなります。',
        ),
      ],
    },
    {
      id: 'classify',
      title: say('Know a write when you see one', '書き込みを正しく見分ける'),
      points: 20,
      hints: [
        say(
          'The first word of a statement is not its meaning: strip comments, literals and parentheses, then list what can still write.',
          '先頭の単語は、文の意味を表しません。コメント、リテラル、括弧を除いてから、まだ書き込めるものを挙げてみてください。',
        ),
        say(
          'A hot standby refuses every write with SQLSTATE 25006 before anything has happened. Who then needs to be certain?',
          'ホットスタンバイは、どの書き込みも何も起きないうちにSQLSTATE 25006で拒みます。それなら、事前に確信が要るのは誰でしょうか。',
        ),
        say(
          "Obvious writes → primary; everything else → replica, and on `error.code === '25006'` run it on the primary. Two things a replica does not refuse: advisory locks, and statements that change the connection.",
          "明らかな書き込みはプライマリへ、残りはレプリカへ送り、`error.code === '25006'`ならプライマリで実行します。レプリカが拒まないものが二つあります。アドバイザリロックと、接続そのものを変える文です。",
        ),
      ],
    },
    {
      id: 'transactions',
      title: say('A transaction stays on one connection', 'トランザクションは一つの接続で'),
      points: 20,
      hints: [
        say(
          '`pool.query` may use another connection for each call.',
          '`pool.query`は、呼ぶたびに別の接続を使うことがあります。',
        ),
        say(
          'Keep `id → client` from `pool.connect()`; give it back in exactly one place.',
          '`pool.connect()`で得たクライアントを`id → client`で持ちます。プールへ返す場所は一か所だけにします。',
        ),
        say(
          'Look at `result.command` after COMMIT; arm a timer on each use; `release(true)` when the connection broke.',
          'COMMITのあとで`result.command`を見ます。使うたびにタイマーを仕掛け直し、接続が切れていたら`release(true)`で捨てます。',
        ),
      ],
    },
    {
      id: 'consistency',
      title: say('Fresh when it matters', '必要なときだけ最新を読む'),
      points: 10,
      hints: [
        say(
          'Which node has everything that was committed?',
          'コミット済みのすべてを持っているのは、どのノードですか。',
        ),
        say('Decide it before any rule or balance.', 'ルールや振り分けより先に決めます。'),
        say(
          "`if (consistency === 'strong') return run(primary, …)`. Chapter 07 does better than this.",
          "`if (consistency === 'strong') return run(primary, …)`とします。もっとよい方法は第7章で作ります。",
        ),
      ],
    },
    {
      id: 'failure',
      title: say('A replica dies', 'レプリカが落ちても'),
      points: 20,
      // Servers are killed and started again four times; in containers each takes a second or more.
      limit: 45_000,
      hints: [
        say(
          'What does an `EventEmitter` do with an `error` nobody listens to?',
          '誰も聞いていない`error`イベントを、`EventEmitter`はどうしますか。',
        ),
        say(
          "Two kinds of failure: the node did not answer (try another), the node answered 'no' (tell the caller).",
          '失敗は2種類です。ノードが答えなかった（別のノードで試す）か、ノードが「だめだ」と答えた（呼び出し元に伝える）かです。',
        ),
        say(
          'No SQLSTATE, class 08 except 08P01, 57P01–57P03, 53300 → next replica, leave the node out for `EJECT_MS`; 40001 → next replica; anything else → the answer. Set `statement_timeout` on the server and a `query_timeout` a second longer in the client, and count the reads that fall back.',
          'SQLSTATEなし、08クラス（08P01を除く）、57P01〜57P03、53300なら次のレプリカへ回し、そのノードを`EJECT_MS`だけ外します。40001は次のレプリカへ回すだけです。それ以外は答えとして返します。サーバーに`statement_timeout`、クライアントにそれより1秒長い`query_timeout`を設定し、プライマリへ回す読み取りの数を数えます。',
        ),
      ],
    },
    {
      id: 'routing',
      title: say('Rules, the analytical replica and pool sizes', 'ルール・分析用レプリカ・プールサイズ'),
      points: 15,
      hints: [
        say(
          'One pool per node, each with its own size. A client that is taken out comes back, whatever has happened to it.',
          'ノードごとにプールを一つ持ち、大きさをそれぞれ決めます。取り出したクライアントは、何が起きても返します。',
        ),
        say(
          'Match identifiers, not text: drop literals and comments first. The planner already knows what a query costs.',
          '文字列ではなく識別子を比べます。先にリテラルとコメントを除いてください。クエリの重さは、プランナーがもう知っています。',
        ),
        say(
          "`EXPLAIN (FORMAT JSON) <sql>` with the same params on a replica; `[0].Plan['Total Cost']`; remember it per SQL text. The question must not use up a read's turn.",
          "同じパラメーターで`EXPLAIN (FORMAT JSON) <sql>`をレプリカで実行し、`[0].Plan['Total Cost']`を読みます。結果はSQLの文字列ごとに覚えておきます。見積もりを聞くために、読み取りの順番を使ってはいけません。",
        ),
      ],
    },
  ],
})
