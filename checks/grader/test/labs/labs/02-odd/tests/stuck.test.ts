import { expect, say, startRole, test, when } from '#harness'

test(say('it never ends, and hears of no abort', '終わらず、中断も聞かない'), async () => {
  const server = await startRole('server')
  expect(await server.get('/')).toAnswer(200)
  when('nothing more is done', '何もしない')
  await new Promise(() => {})
})

test(say('the next test of the step', '同じステップの次のテスト'), async () => {
  expect(1).toBe(1)
})
