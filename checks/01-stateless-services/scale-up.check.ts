import {
  ahead,
  beforeAll,
  burst,
  eventually,
  expect,
  say,
  test,
  when,
  type Answer,
  type StartedRole,
} from '#harness'
import {
  addInstance,
  howMany,
  type Service,
  workers,
} from '../../labs/01-stateless-services/tests/instances.ts'
import { login, me } from '../../labs/01-stateless-services/tests/logins.ts'
import { channel, holdMessages } from '../../labs/01-stateless-services/tests/messages.ts'
import {
  connectionsOf,
  ended,
  EXIT,
  mostConnections,
  processesOf,
} from '../../labs/01-stateless-services/tests/processes.ts'
import { giveTime } from '../../labs/01-stateless-services/tests/waits.ts'

let service: Service
/** One process with few connections, for which nobody waits long. */
let impatient: Promise<StartedRole>

beforeAll(async () => {
  service = await workers()
  impatient = ahead(() => addInstance(service, 'app-2', { DB_POOL_MAX: 4, DB_WAIT_MS: 150 }))
})

const CONNECTIONS = say(
  'connections of the instance in pg_stat_activity',
  'pg_stat_activityに見えるインスタンスの接続数',
)
const STORED = say('messages that were stored', '保存されたメッセージ')
const NOT_STORED = say('messages that were not stored', '保存されなかったメッセージ')

test(say('the processes know the same sessions', 'どのプロセスも同じセッションを知っている'), async () => {
  const { app1 } = service
  const { cookie } = await login(app1, 'ann')
  when(
    'PROCESSES is 3, and the browser of a logged-in user asks again and again',
    'PROCESSESが3のとき、ログイン済みのブラウザーが何度もリクエストを送った',
  )
  await processesOf(app1, async (within) => {
    const answer = await me(app1, cookie, within)
    if (answer.status > 0) expect(answer).toAnswer(200, { user: 'ann' })
    return answer
  })
})

test(say('a process that dies is replaced', '落ちたプロセスは補充される'), async () => {
  const { app1, db } = service
  const ask = (within: number): Promise<Answer> => app1.get('/health', { within })
  // The first process may serve, too; its end would be the end of the instance.
  const victim = (await processesOf(app1, ask)).find((pid) => pid !== app1.pid)
  const before = await connectionsOf(db, app1)
  when('one of the three processes is killed (SIGKILL)', '3つのプロセスの1つを強制終了（SIGKILL）した')
  process.kill(victim!, 'SIGKILL')
  await eventually(say('it is gone', 'そのプロセスがなくなる'), () => app1.pids().includes(victim!), false)
  await processesOf(app1, ask, victim)
  // Postgres may notice the end of the dead one's connections a moment later: they are nobody's fault.
  if (before > 0) await giveTime(2000, async () => (await connectionsOf(db, app1)) < before)

  when(
    '40 messages come at once after that, DB_POOL_MAX is 8',
    'そのあと、DB_POOL_MAXが8のまま40件のメッセージが同時に届いた',
  )
  const { lock, answers } = await holdMessages(service, app1, { count: 40, waiting: 8 })
  expect(await mostConnections(db, app1), CONNECTIONS).toBe(8)
  await lock.release()
  const stored = howMany(201, await Promise.all(answers))
  expect(answers.length - stored, NOT_STORED).toBe(0)
})

test(
  say('who gets no connection in time is told so', '時間内に接続を得られなければ、そう伝える'),
  async () => {
    const { db } = service
    const app2 = await impatient
    // Connecting takes its share of the 150 ms: it is done before.
    await eventually(
      say('four connections are open', '接続が4本開いている'),
      async () => {
        await burst(8, (i) => app2.post(channel('warm'), { author: 'ann', text: `message ${i}` })).done
        return connectionsOf(db, app2)
      },
      (count) => count >= 4,
      { hint: 2 },
    )
    when(
      'DB_POOL_MAX is 4 and DB_WAIT_MS 150, and 12 messages come at once while the table is locked',
      'DB_POOL_MAXが4、DB_WAIT_MSが150のとき、表をロックしたまま12件のメッセージを同時に送った',
    )
    const { lock, answers, answered } = await holdMessages(service, app2, { count: 12, waiting: 4 })
    await eventually(
      say(
        'all but four are answered while the table is still locked',
        '表がロックされている間に、4件を除くすべてに応答がある',
      ),
      () => answered.length,
      (count) => count >= answers.length - 4,
      { hint: 2 },
    )
    for (const answer of answered) {
      expect(answer).toAnswer(503, { error: 'database_unavailable' })
      expect(answer.headers['retry-after'], say('Retry-After', 'Retry-After')).toBeDefined()
    }
    expect(await connectionsOf(db, app2), CONNECTIONS).toBe(4)
    await lock.release()
    expect(howMany(201, await Promise.all(answers)), STORED).toBe(4)
  },
)

test(say('a failed request gives its connection back', '失敗したリクエストも接続を返す'), async () => {
  when(
    '30 messages fail in Postgres, which takes no NUL character, and then four come at once',
    'NUL文字を受け付けないPostgresで30件が失敗し、そのあと4件が同時に届いた',
  )
  const app2 = await impatient
  await burst(30, () => app2.post(channel('nul'), { author: 'ann', text: 'a\0b' })).done
  // More than four: who threw the connections of the failed ones away has to connect again, within 150 ms.
  const { lock, answers } = await holdMessages(service, app2, { count: 8, waiting: 4 })
  await lock.release()
  expect(howMany(201, await Promise.all(answers)), STORED).toBeGreaterThanOrEqual(4)
})

test(
  say(
    'SIGTERM to the first process ends them all, politely',
    '最初のプロセスへのSIGTERMで、全員が行儀よく終わる',
  ),
  async () => {
    const { app1, db } = service
    const { lock, answers } = await holdMessages(service, app1)
    when(
      'the first process gets SIGTERM while a worker writes a message',
      'ワーカーがメッセージを書き込んでいる間に、最初のプロセスへSIGTERMを送った',
    )
    app1.terminate()
    await lock.release()
    expect(await answers[0], say('the message', 'メッセージへの応答')).toAnswer(201)
    expect(await ended(app1, 5000, 2), EXIT).toBe('exit 0')
    await eventually(say('no process is left', 'プロセスが残っていない'), () => app1.pids().length, 0)
    await eventually(say('no connection is left', '接続が残っていない'), () => connectionsOf(db, app1), 0)
  },
)

test(say('fewer connections than processes', 'プロセスより接続が少ない'), async () => {
  const { db } = service
  when('PROCESSES is 3 and DB_POOL_MAX is 2', 'PROCESSESが3、DB_POOL_MAXが2である')
  // Connecting, too, has to be done within this time: on a busy machine a connection too many would not come about.
  const env = { PROCESSES: 3, DB_POOL_MAX: 2, DB_WAIT_MS: 1500 }
  const app3 = await addInstance(service, 'app-3', env, { ready: false })
  await eventually(
    say('it serves, or it refuses to start', 'リクエストに応答するか、起動を拒む'),
    async () => app3.exit !== undefined || (await app3.get('/health', { within: 500 })).status === 200,
  )
  const { exit, lines } = app3
  if (exit) {
    await app3.said()
    await app3.kill() // it was expected to end
    expect(exit.code, say('exit status', '終了コード'), { hint: 2 }).not.toBe(0)
    const told = lines.some((line) => line.includes('PROCESSES') && line.includes('DB_POOL_MAX'))
    expect(
      told,
      say('a line that names PROCESSES and DB_POOL_MAX', 'PROCESSESとDB_POOL_MAXの両方を挙げた行がある'),
    ).toBe(true)
    return
  }
  // Fewer workers are right, three with ten connections each are not: the last of them may still be starting.
  const workersSeen = new Set<unknown>()
  await giveTime(3000, async () => {
    const { status, headers } = await app3.get('/health', { within: 500 })
    if (status === 200) workersSeen.add(headers['x-process'])
    return workersSeen.size >= 3
  })
  const { lock, answers, answered } = await holdMessages(service, app3, { count: 12, waiting: 1 })
  await eventually(
    say(
      'every message waits in Postgres or has been refused',
      'どのメッセージも、Postgresで待つか、断られている',
    ),
    async () => answered.length + (await db.activity({ application: 'app-3', waiting: true })).length,
    (seen) => seen >= answers.length,
  )
  expect(await connectionsOf(db, app3), CONNECTIONS).toBeLessThanOrEqual(2)
  await lock.release()
  await Promise.all(answers)
})
