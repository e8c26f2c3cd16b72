import { beforeAll, eventually, expect, say, test, when, type StartedRole } from '#harness'
import { synchronous, waitingForReplicas } from './commits.ts'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId } from './shop.ts'

let shop: SharedShop
let server: StartedRole
let patient: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  ;[server, patient] = await Promise.all([shop.lend('server-a'), shop.lend('server-c'), synchronous(shop)])
})

const write = (to: StartedRole, id: string, durability?: string) =>
  to.post('/orders', { id, userId: 1, status: 'paid', ...(durability && { durability }) })

// #region levels
test(say('received is not applied', '受信と適用は違う'), async () => {
  await shop.pause()
  const [received, applied] = [newId(), newId()]
  when(
    'both replicas receive and apply nothing: POST with durability "on"',
    '両方のレプリカは受信するが適用しない。durability「on」でPOST',
  )
  expect(await write(patient, received, 'on')).toAnswer(201, { id: received })
  when('the same with "remote_apply"', '「remote_apply」で同じことをする')
  const degraded = await write(server, applied, 'remote_apply')
  expect(degraded, undefined, { hint: [201, 500].includes(degraded.status) ? 3 : 1 }).toAnswer(202, {
    id: applied,
    replicated: false,
  })
  const [row] = await shop.db.sql('SELECT count(*)::int AS n FROM orders WHERE id = $1', [applied])
  expect(row?.n, say('rows of that order on the primary', 'プライマリにあるその注文の行数')).toBe(1)
})
// #endregion levels

// #region apply
test(say('applied before it is answered', '適用されてから返事をする'), async () => {
  await shop.pause()
  const id = newId()
  const answer = write(patient, id, 'remote_apply')
  await eventually(
    say('a COMMIT of server-c that waits for replicas', 'レプリカを待つserver-cのCOMMIT'),
    async () => (await waitingForReplicas(shop, 'server-c')) === 1,
  )
  when(
    'a remote_apply is waiting, and replay goes on at replica-1 only',
    'remote_applyが待っている間に、replica-1だけ再生を再開する',
  )
  await shop.replica1.resumeReplay()
  expect(await answer).toAnswer(201, { id })
  const [row] = await shop.replica1
    .view(shop.db)
    .sql('SELECT count(*)::int AS n FROM orders WHERE id = $1', [id])
  expect(row?.n, say('the row on replica-1', 'replica-1の行')).toBe(1)
})
// #endregion apply
