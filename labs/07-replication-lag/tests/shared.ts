import { Lending, replicationLink, shared, type Link, type StartedPostgres, type StartedRole } from '#harness'
import { openShop, type Shop } from './shop.ts'

/** Soon has enough of replicas that stand still: for tests in which the primary must answer in the end. */
export const HASTY = { WAIT_MS: 50, DURABILITY_TIMEOUT_MS: 200 }

/** Waits for a replica on the slowest machine, too: for tests in which the primary must not be asked. */
export const PATIENT = { WAIT_MS: 5000, DURABILITY_TIMEOUT_MS: 5000 }

const SETTINGS = { 'server-a': HASTY, 'server-b': HASTY, 'server-c': PATIENT }

type Name = keyof typeof SETTINGS

/** The shop that the files of a run share: one database, and each server started once, by the first test that asks. */
export interface SharedShop extends Shop {
  /** One that a test has killed is started again. */
  lend(name: Name): Promise<StartedRole>
  /** A server that has seen nothing yet. */
  fresh(name: Name): Promise<StartedRole>
  /** Those that run now. */
  running(): Promise<StartedRole[]>
  /** The path by which this replica follows the primary. Whoever cuts it opens it again. */
  wire(replica: StartedPostgres): Promise<Link>
}

export const sharedShop = (): Promise<SharedShop> =>
  shared('shop', async () => {
    const shop = await openShop()
    const servers = new Lending<StartedRole>()
    const wires = new Lending<Link>()
    const lend: SharedShop['lend'] = async (name) => {
      const server = await servers.lend(name, () => shop.server(name, SETTINGS[name]))
      await server.up()
      return server
    }
    return {
      ...shop,
      lend,
      fresh: async (name) => {
        const known = await servers.begun(name)
        if (!known) return lend(name)
        await known.restart()
        return known
      },
      running: async () => (await servers.all()).filter(({ exit }) => !exit),
      wire: (replica) => wires.lend(replica.name, () => replicationLink(replica, shop.primary)),
    }
  })
