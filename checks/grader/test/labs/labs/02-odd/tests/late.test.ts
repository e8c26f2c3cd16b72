import { expect, say, startRole, test, when } from '#harness'

test(say('an answer that comes too late', '遅すぎる応答'), async () => {
  const server = await startRole('server')
  when('the server is asked for something slow', '時間のかかるリクエストを送る')
  expect(await server.get('/slow', { within: 60_000 })).toAnswer(200)
})
