import { expect, say, test, when } from '#harness'
import { startServer } from './server.ts'

test(say('it stops, and starts again on its port', '止まり、同じポートで再び起動する'), async () => {
  const server = await startServer()
  when('the server gets SIGTERM', 'サーバーがSIGTERMを受け取る')
  const exit = await server.stop({ within: 2000 })
  expect(exit.code, say('its exit status', '終了コード')).toBe(0)
  when('the server is started again', 'サーバーを再び起動する')
  await server.start()
  expect(await server.get('/greetings/carol', { within: 2000 })).toAnswer(200)
})
