import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  title: say('Replication lag', 'レプリケーション遅延'),
  summary: say(
    'A customer pays, opens her orders, and the order is not there: the read went to a replica that was 800 ms behind. Measure the lag without lying, give each client its own writes back on any server, and know what a commit promises.',
    '支払いを終えた客が注文一覧を開くと、注文がありません。読み取り先のレプリカが800ms遅れていました。遅延を正しく測り、どのサーバーでも自分の書き込みが見えるようにし、コミットが何を約束するのかを確かめます。',
  ),
  roles: ['server'],
  topology: { primary: { kind: 'replicated', replicas: ['replica-1', 'replica-2'], far: true } },
  budget: 14_000,
  steps: [
    {
      id: 'bytes',
      title: say('Lag in bytes', '遅延をバイトで測る'),
      points: 15,
      hints: [
        say(
          'An LSN is a 64-bit number written as two hexadecimal halves.',
          'LSNは64ビットの数です。16進数の上位と下位に分けて書かれています。',
        ),
        say(
          'Postgres subtracts for you; or shift the first half by 32, as BigInt.',
          '引き算はPostgresに任せられます。自分で引くなら、上位をBigIntで32ビットずらします。',
        ),
        say(
          "`SELECT pg_wal_lsn_diff($1, pg_last_wal_replay_lsn())` on the replica, with the primary's `pg_current_wal_lsn()`.",
          'プライマリの`pg_current_wal_lsn()`を渡して、レプリカで`SELECT pg_wal_lsn_diff($1, pg_last_wal_replay_lsn())`を実行します。',
        ),
      ],
    },
    {
      id: 'seconds',
      title: say('Lag in seconds that do not lie', '嘘をつかない秒数'),
      points: 15,
      // Servers start, and replicas find their way back.
      limit: 45_000,
      hints: [
        say(
          "What does 'now minus the last replayed commit' say at 4 a.m.?",
          '「現在時刻 − 最後に再生したコミットの時刻」は、書き込みのない午前4時に何秒になりますか。',
        ),
        say(
          'Remember when the primary was at which position.',
          'プライマリがいつどの位置にいたかを覚えておきます。',
        ),
        say(
          'Keep samples `{lsn, at}`; the lag is now minus `at` of the first sample whose `lsn` the replica has not replayed. Or write a heartbeat row.',
          'サンプル`{lsn, at}`を残します。レプリカがまだ再生していない最初のサンプルの`at`から現在までが遅延です。ハートビート行を書く方法もあります。',
        ),
      ],
    },
    {
      id: 'own-writes',
      title: say('Read your own writes, on any server', 'どのサーバーでも自分の書き込みを読む'),
      points: 25,
      // A commit must stay unwritten for a moment, and servers die: in containers both take their time.
      limit: 45_000,
      hints: [
        say(
          'Which of your servers will get the next request? What does it know?',
          '次のリクエストを受けるのはどのサーバーですか。そのサーバーは何を知っていますか。',
        ),
        say(
          'The client can carry the knowledge: where was the primary after my commit?',
          '知識はクライアントが運べます。自分のコミットのあと、プライマリはどの位置にいましたか。',
        ),
        say(
          'After COMMIT: `SELECT pg_current_wal_insert_lsn()`; before reading on a replica: `pg_last_wal_replay_lsn() >= $token`; otherwise try the next one, poll until `WAIT_MS`, then the primary. Compare as numbers.',
          'COMMITのあとに`SELECT pg_current_wal_insert_lsn()`、レプリカで読む前に`pg_last_wal_replay_lsn() >= $token`を確かめます。だめなら次のレプリカへ、`WAIT_MS`まで繰り返し、最後はプライマリです。比較は数として行います。',
        ),
      ],
    },
    {
      id: 'monotonic',
      title: say('Never back in time', '時間をさかのぼらない'),
      points: 15,
      hints: [
        say(
          'A reader has no write to take a token from.',
          '読むだけの人には、トークンの元になる書き込みがありません。',
        ),
        say(
          'What had this replica replayed when I read?',
          '読んだとき、このレプリカはどこまで再生していましたか。',
        ),
        say(
          'Read the replay position after the rows, on the same replica, and answer with the greater of it and the token received.',
          '行を読んだあとに、同じレプリカで再生位置を読みます。それと受け取ったトークンのうち、大きいほうを返します。',
        ),
      ],
    },
    {
      id: 'bounded',
      title: say('Choose the replica by its lag', '遅延でレプリカを選ぶ'),
      points: 10,
      hints: [
        say(
          'Which replicas qualify, and if none does?',
          '条件を満たすレプリカはどれですか。一つもなければどうしますか。',
        ),
        say(
          'Do not measure all nodes for every read: you already sample.',
          '読むたびに全ノードを測る必要はありません。サンプルはもう取っています。',
        ),
        say(
          '`replicas.filter(r => r.up && r.lagSeconds * 1000 <= max)`, then round robin or least lag, else the primary.',
          '`replicas.filter(r => r.up && r.lagSeconds * 1000 <= max)`から順番に、または遅延の小さいものを選びます。なければプライマリです。',
        ),
      ],
    },
    {
      id: 'watch',
      title: say('Wait, measure, alert', '待つ・監視する・知らせる'),
      points: 10,
      // Samples are counted and a replica is killed: in containers both take their time.
      limit: 45_000,
      hints: [
        say(
          '0 is a good lag; make sure your code thinks so too.',
          '遅延0はよい値です。コードもそう判断するか確かめてください。',
        ),
        say('An alert is a change of state, not a state.', 'アラートは状態ではなく、状態の変化です。'),
        say(
          'Count consecutive samples on the other side of the threshold; switch and post when the count reaches `ALERT_AFTER`.',
          'しきい値の反対側にあるサンプルを連続で数えます。`ALERT_AFTER`に達したら、状態を切り替えて通知します。',
        ),
      ],
    },
    {
      id: 'durability',
      title: say('What a commit promises', 'コミットが約束すること'),
      points: 10,
      // Each level waits for its time-out, and replicas are cut off: in containers both take their time.
      limit: 45_000,
      hints: [
        say(
          'COMMIT can wait; what has already happened when it waits?',
          'COMMITが待つことがあります。待っている時点で、何がもう終わっていますか。',
        ),
        say(
          '`SET LOCAL synchronous_commit` before the INSERT; `statement_timeout` does not end this wait.',
          'INSERTの前に`SET LOCAL synchronous_commit`を実行します。この待ちは`statement_timeout`では終わりません。',
        ),
        say(
          "After the timeout `SELECT pg_cancel_backend(pid)` from another connection: COMMIT returns with a warning (01000, 'already committed locally'). Answer 202, not 500.",
          '時間切れになったら、別の接続から`SELECT pg_cancel_backend(pid)`を実行します。COMMITは警告（01000、ローカルではコミット済み）を出して戻ります。500ではなく202を返します。',
        ),
      ],
    },
  ],
})
