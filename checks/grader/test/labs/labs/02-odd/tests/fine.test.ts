import { expect, say, startRole, test } from '#harness'

test(say('what comes after all that', 'そのあと'), async () => {
  const server = await startRole('server')
  expect(await server.get('/')).toAnswer(200)
})
