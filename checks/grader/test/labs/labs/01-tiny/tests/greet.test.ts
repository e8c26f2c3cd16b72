import { beforeAll, expect, say, test, when, type StartedRole } from '#harness'
import { startServer } from './server.ts'

let server: StartedRole

beforeAll(async () => {
  server = await startServer()
})

test(say('each is greeted, and counted', '一人ずつ挨拶し、数える'), async () => {
  for (const [name, count] of [
    ['alice', 1],
    ['bob', 1],
    ['alice', 2],
  ] as const) {
    when(`GET /greetings/${name}`, `GET /greetings/${name}を送る`)
    const answer = await server.get(`/greetings/${name}`, { within: 2000 })
    expect(answer).toAnswer(200)
    expect(answer.body.greeting.text, say('the greeting', '挨拶')).toBe(`Hello, ${name}!`)
    expect(answer.body.greeting.count, say('the count', '回数')).toBe(count)
  }
})
