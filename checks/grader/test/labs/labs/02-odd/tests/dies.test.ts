import { eventually, say, startRole, test } from '#harness'

test(
  say('a role dies while the test looks elsewhere', 'テストがほかを見ている間にロールが終了する'),
  async () => {
    const mayfly = await startRole('mayfly')
    await eventually(say('its end', '終了'), () => mayfly.exit !== undefined)
  },
)
