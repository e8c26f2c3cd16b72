import { expect, say, test, when } from '#harness'
import { startServer } from '../../labs/01-tiny/tests/server.ts'

test(say('nobody is refused', '名前のない相手は断る'), async () => {
  const server = await startServer()
  when('GET /greetings/ without a name', '名前なしでGET /greetings/を送る')
  expect(await server.get('/greetings/', { within: 2000 })).toAnswer(404)
})
