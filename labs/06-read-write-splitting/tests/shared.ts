import { eventually, Lending, postgres, say, shared, type Database } from '#harness'
import { openShop, type Gateway, type Shop } from './shop.ts'

const SETTINGS = {
  /** Small pools, an end to idle transactions, and rules. */
  gateway: {
    PRIMARY_POOL_MAX: 3,
    REPLICA_POOL_MAX: 4,
    TX_IDLE_MS: 100,
    ROUTES: JSON.stringify([
      { tables: ['audit_log'], to: 'primary' },
      { tables: ['page_views'], to: 'analytics' },
    ]),
  },
  'gateway-1': {},
}

type Name = keyof typeof SETTINGS

/** The shop of a run: its files share the database and these gateways, and have rows of their own. */
export interface SharedShop extends Shop {
  /** Started by the first test that asks; it ends with the run. */
  lend(name: Name): Promise<Gateway>
}

interface Lent {
  db: Database
  lend: SharedShop['lend']
}

export async function sharedShop(): Promise<SharedShop> {
  const { db, lend } = await shared('shop', begin)
  // Each file reads the logs from its own beginning.
  return { ...(await openShop(db)), lend }
}

async function begin(): Promise<Lent> {
  const shop = await openShop(await postgres('primary').database())
  const gateways = new Lending<Gateway>()
  return {
    db: shop.db,
    lend: async (name) => {
      const gateway = await gateways.lend(name, () => shop.gateway(SETTINGS[name], name))
      await gateway.role.up()
      return gateway
    },
  }
}

/** A replica that was away for an earlier test may be left out for a moment. */
export async function bothReplicas({ query, role }: Gateway): Promise<void> {
  await eventually(
    say(`reads of ${role.name} from both replicas`, `${role.name}の読み取りが両方のレプリカから返る`),
    async () => {
      const reads = Array.from({ length: 4 }, () => query('SELECT owner FROM accounts WHERE id = 1'))
      return (await Promise.all(reads)).map(({ body }) => body?.node)
    },
    (nodes) =>
      nodes.every((node) => node?.startsWith('replica')) &&
      nodes.includes('replica-1') &&
      nodes.includes('replica-2'),
  )
}
