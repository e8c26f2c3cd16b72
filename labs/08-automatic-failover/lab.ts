import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

/** After a failover the cluster is made whole for the next test: in containers, on a busy machine, that takes its time. */
const LIMIT = 90_000

export default defineLab({
  title: say('Automatic failover', '自動フェイルオーバー'),
  summary: say(
    'The primary dies at 03:10, and the script that was to replace it once made a second primary out of a lost ping. Build three controllers that agree before they act, fence before they promote, and a service that comes along without losing an order.',
    '3時10分にプライマリが落ちます。以前の切り替えスクリプトは、pingを一回落としただけで二台目のプライマリを作りました。合意してから動き、隔離してから昇格する三台のコントローラーと、注文を失わずについてくるサービスを作ります。',
  ),
  roles: ['controller', 'server'],
  topology: {
    pg: { kind: 'replicated', replicas: 2, far: true },
    redis: { kind: 'redis' },
  },
  budget: 46_000,
  steps: [
    {
      id: 'watch',
      title: say('Know the cluster, agree on a leader', 'クラスターを知り、リーダーを決める'),
      points: 10,
      limit: LIMIT,
      hints: [
        say('Three controllers, one hand on the lever.', 'コントローラーは三台、レバーを握る手は一つです。'),
        say(
          '`SET key me NX PX ttl`, renewed by its owner only; count your own time from before the request.',
          '`SET key me NX PX ttl`で取り、延ばせるのは持ち主だけにします。自分の期限は、要求を送る前の時刻から数えます。',
        ),
        say(
          'Lua: if value = me then PEXPIRE, else if absent SET PX, else 0. Leader until `t0 + 0.8 × ttl`. Publish through a script that checks lease and epoch.',
          'Luaで、値が自分ならPEXPIRE、なければSET PX、それ以外は0を返します。リーダーでいるのは`t0 + 0.8 × ttl`までです。公開も、リースとepochを確かめるスクリプトで行います。',
        ),
      ],
    },
    {
      id: 'detect',
      title: say('Dead, or just unreachable from here?', '死んだのか、ここから見えないだけか'),
      points: 15,
      limit: LIMIT,
      hints: [
        say('A missed ping is a fact about the path.', '返らなかったpingが教えるのは、経路のことだけです。'),
        say(
          'Count in a row, and count a check without an answer too; publish your count; the leader asks how many agree.',
          '連続した失敗を数えます。答えのない確認も失敗です。数を互いに見せ合い、リーダーは何台が同意しているかを調べます。',
        ),
        say(
          '`SET pg:view:<me> {node,failures} PX 3×(interval+timeout)`; act when ≥ `QUORUM` views of the present primary have `failures ≥ FAIL_THRESHOLD`. Or ask the replicas whether they still stream.',
          '`SET pg:view:<me> {node,failures} PX 3×(interval+timeout)`で書き、いまのプライマリについて`failures ≥ FAIL_THRESHOLD`のものが`QUORUM`以上あれば動きます。レプリカに、まだストリームを受けているかを聞く方法もあります。',
        ),
      ],
    },
    {
      id: 'promote',
      title: say('Fence first, then promote the right one', 'まず隔離し、正しい一台を昇格する'),
      points: 25,
      limit: LIMIT,
      hints: [
        say('What if it is not dead?', '死んでいなかったら、どうなりますか。'),
        say(
          'Fence, wait for the 204, only then read the positions: now they cannot move. Received, not replayed; numbers, not text.',
          '隔離して204を待ち、それから位置を読みます。もう動かないからです。比べるのは再生位置ではなく受信位置、文字列ではなく数です。',
        ),
        say(
          '`greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())` as BigInt; check the lease again; `pg_wal_replay_resume()`, `pg_promote(false)`, poll `pg_is_in_recovery()`; 55000 means somebody already did.',
          '`greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())`をBigIntで比べ、リースをもう一度確かめます。`pg_wal_replay_resume()`、`pg_promote(false)`のあと、`pg_is_in_recovery()`を繰り返し調べます。55000は、もう誰かが昇格させたという意味です。',
        ),
      ],
    },
    {
      id: 'follow',
      title: say('Re-point and tell everyone', 'つなぎ替えて知らせる'),
      points: 15,
      limit: LIMIT,
      hints: [
        say(
          'Promotion moved one node. Who else must move?',
          '昇格で動いたのは一台です。ほかに動くべきなのは誰ですか。',
        ),
        say(
          '`ALTER SYSTEM SET primary_conninfo` works on a standby and needs only a reload.',
          '`ALTER SYSTEM SET primary_conninfo`はスタンバイでも実行でき、リロードだけで効きます。',
        ),
        say(
          'Each round compare what is with what should be (timeline of its WAL receiver, member of the topology) and mend one difference; a node is published as primary only after `pg_is_in_recovery()` on it was false.',
          '毎回、いまの状態とあるべき状態を比べ（WALレシーバーのタイムライン、トポロジーに入っているか）、違いを一つ直します。プライマリとして公開するのは、そのノードの`pg_is_in_recovery()`がfalseになってからです。',
        ),
      ],
    },
    {
      id: 'clients',
      title: say('Clients come along', 'クライアントがついてくる'),
      points: 15,
      limit: LIMIT,
      hints: [
        say('Messages get lost; keys stay.', 'メッセージは失われますが、キーは残ります。'),
        say(
          'One pool per epoch; a greater epoch replaces it; an error makes you read the key again.',
          'プールはepochごとに一つです。大きいepochが来たら取り替え、エラーが出たらキーを読み直します。',
        ),
        say(
          "`INSERT … ON CONFLICT`, `query_timeout`, `pool.on('error')`; anything but success is 503, because you cannot know.",
          "`INSERT … ON CONFLICT`、`query_timeout`、`pool.on('error')`を使います。成功以外はすべて503です。書けたかどうか、知りようがないからです。",
        ),
      ],
    },
    {
      id: 'return',
      title: say('The old primary comes back', '古いプライマリが戻ってくる'),
      points: 10,
      limit: LIMIT,
      hints: [
        say(
          'Two nodes say they are primary. Which is right, and who said so?',
          '二台がプライマリだと言っています。正しいのはどちらで、それを決めたのは誰ですか。',
        ),
        say(
          'The topology and the timeline decide, not the longer WAL.',
          '決めるのはトポロジーとタイムラインです。WALの長さではありません。',
        ),
        say(
          'Writable and not `topology.primary` → fence, reseed from the primary, and only when it streams add it to `replicas`. The timeline is in `pg_walfile_name(pg_current_wal_lsn())` (first 8 digits); `pg_control_checkpoint()` still says the old one after a promotion.',
          '書き込めるのに`topology.primary`でないノードは、隔離し、プライマリから作り直し、ストリームを受け始めてから`replicas`に加えます。タイムラインは`pg_walfile_name(pg_current_wal_lsn())`の先頭8桁です。昇格の直後、`pg_control_checkpoint()`はまだ古い値を返します。',
        ),
      ],
    },
    {
      id: 'loss',
      title: say('What may be lost', '失ってよいもの'),
      points: 10,
      limit: LIMIT,
      hints: [
        say(
          'Remember the last position that anybody saw, where a restart does not forget it.',
          '誰かが最後に見た位置を、再起動しても消えない場所に覚えておきます。',
        ),
        say(
          'With `ANY 1` of two, one replica has every acknowledged write. Which one? Ask both.',
          '二台の`ANY 1`なら、確認済みの書き込みをすべて持つレプリカが一台あります。どちらですか。両方に聞きます。',
        ),
        say(
          "Difference as BigInt against `MAX_LOST_BYTES`; `state='blocked'` with the reason; force skips both tests once.",
          "差をBigIntで`MAX_LOST_BYTES`と比べます。超えたら`state='blocked'`と理由を示し、forceは両方の検査を一度だけ飛ばします。",
        ),
      ],
    },
  ],
})
