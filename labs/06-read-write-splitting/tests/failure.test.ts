import { beforeAll, eventually, expect, say, test, when, type Answer } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { backAgain, mark, shortRecovery, total, type Gateway, type Name } from './shop.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  const ready = shortRecovery(shop)
  gateway = await shop.lend('gateway-1')
  await ready
})

async function reads(count: number, m: string): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < count; i++) {
    answers.push(await gateway.query(`SELECT owner FROM accounts WHERE id = $1 ${m}`, [(i % 50) + 1]))
  }
  return answers
}

// #region idle-death
test(say('a replica dies while nobody uses it', '誰も使っていないレプリカが落ちる'), async () => {
  when('four reads', '読み取りを4回送る')
  expect((await reads(4, mark())).map((a) => a.status)).toEqual([200, 200, 200, 200])
  when('replica-1 is killed (SIGKILL)', 'replica-1を強制終了（SIGKILL）する')
  await shop.node['replica-1'].kill()
  const m = mark()
  const answers = await reads(20, m)
  expect(gateway.role.exit, say('how the gateway ended', 'ゲートウェイの終わり方')).toBeUndefined()
  for (const answer of answers) expect(answer).toAnswer(200)
  const alive: Name[] = ['primary', 'replica-2', 'analytics']
  expect(
    (await shop.executed(m, alive)).primary,
    say('executed by the primary', 'プライマリが実行した数'),
  ).toBe(0)
})
// #endregion idle-death

test(say('both die, and come back', '両方が落ちて、戻ってくる'), async () => {
  when('both replicas are killed', '両方のレプリカを強制終了する')
  await Promise.all([shop.node['replica-1'].kill(), shop.node['replica-2'].kill()])
  for (const answer of await reads(5, mark()))
    expect(answer, undefined, { hint: 2 }).toAnswer(200, { node: 'primary' })

  when('both are started again', '両方を起動し直す')
  await backAgain(shop, 'replica-1', 'replica-2')
  await eventually(
    say(
      'ten reads served by both replicas and not by the primary',
      '10回の読み取りを、プライマリではなく両方のレプリカが処理する',
    ),
    async () => (await reads(10, mark())).map((answer) => answer.body?.node),
    (nodes) => !nodes.includes('primary') && nodes.includes('replica-1') && nodes.includes('replica-2'),
    { hint: 2 },
  )
})

test(
  say('a statement that fails is told, not repeated', '失敗した文は伝えられ、繰り返されない'),
  async () => {
    const m = mark()
    when('SELECT 1/(id-id) divides by zero while it runs', 'SELECT 1/(id-id)が実行中にゼロ除算になる')
    expect(await gateway.query(`SELECT 1/(id-id) FROM accounts WHERE id = 1 ${m}`), undefined, {
      hint: 2,
    }).toAnswer(422, {
      error: 'sql',
      code: '22012',
    })
    expect(total(await shop.executed(m)), say('executed over all nodes', '全ノードで実行した数'), {
      hint: 2,
    }).toBe(1)
  },
)
