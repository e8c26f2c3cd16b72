import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { howMany, type Service, workers } from './instances.ts'
import { holdMessages } from './messages.ts'
import { mostConnections } from './processes.ts'

let service: Service

beforeAll(async () => {
  service = await workers()
})

test(say('three processes serve on one port', '3つのプロセスが1つのポートで応答する'), async () => {
  const { app1 } = service
  when(
    'app-1 is started with PROCESSES=3 and asked again and again',
    'PROCESSES=3で起動したapp-1に、繰り返しリクエストを送る',
  )
  const seen = new Set<unknown>()
  await eventually(
    say('three different process ids in X-Process', 'X-Processに3種類のプロセスIDが現れる'),
    async () => {
      const { status, headers } = await app1.get('/health', { within: 500 })
      if (status === 200) seen.add(headers['x-process'])
      return seen.size
    },
    (size) => size >= 3,
  )
})

test(say('together they use DB_POOL_MAX connections', '合わせてDB_POOL_MAX本の接続を使う'), async () => {
  const { app1, db } = service
  when(
    'PROCESSES=3 and DB_POOL_MAX=8, and 40 messages come at once while the table is locked',
    'PROCESSES=3、DB_POOL_MAX=8のとき、表をロックしたまま40件のメッセージを同時に送った',
  )
  const { lock, answers } = await holdMessages(service, app1, { count: 40, waiting: 8 })
  const label = say('connections of app-1 in pg_stat_activity', 'pg_stat_activityに見えるapp-1の接続数')
  expect(await mostConnections(db, app1), label, { hint: 2 }).toBe(8)
  await lock.release()
  const stored = howMany(201, await Promise.all(answers))
  expect(answers.length - stored, say('messages that were not stored', '保存されなかったメッセージ')).toBe(0)
})
