import { httpPeer, type PeerRequest } from './http-peer.ts'
import type { StartedPostgres } from './postgres.ts'
import { atEnd } from './scope.ts'
import { note } from './timeline.ts'

export type PowerVerb = 'fence' | 'reseed'

/** One request to the device. */
export interface PowerCall {
  /** When it came, as `performance.now()` tells it. */
  at: number
  verb: PowerVerb
  node: string
  /** Of a reseed: whose data were to be copied. */
  from?: string
  /** Other nodes that were out of recovery when it came. */
  writable: string[]
  /** The answer; undefined while there is none. */
  status?: number
  /** When it was done. */
  doneAt?: number
}

export interface PowerDeviceOptions {
  nodes: readonly StartedPostgres[]
  /** How a node follows another one. */
  conninfo: (node: string, from: string) => string
}

/** Longest look at a node that may be frozen. */
const LOOK_MS = 300

/** And at one that nobody has frozen: on a busy machine it takes longer to say so. */
const LIVING_MS = 5000

/**
 * What a power switch and a provisioner are in a data centre, with a record of every call: `POST /nodes/:name/fence`
 * kills a node, `POST /nodes/:name/reseed` `{"from"}` makes it a standby from a fresh base copy.
 */
export class PowerDevice {
  readonly url: string
  /** Every call, in the order of arrival. */
  readonly calls: PowerCall[] = []
  readonly #nodes: ReadonlyMap<string, StartedPostgres>
  readonly #conninfo: PowerDeviceOptions['conninfo']
  readonly #refusals: Record<PowerVerb, number> = { fence: 0, reseed: 0 }
  #held: PromiseWithResolvers<void> | undefined

  constructor(url: string, { nodes, conninfo }: PowerDeviceOptions) {
    this.url = url
    this.#nodes = new Map(nodes.map((node) => [node.name, node]))
    this.#conninfo = conninfo
  }

  /** 503 for the next calls of this kind, as many as `times` says; 0: no longer. */
  refuse(verb: PowerVerb, times = Infinity): void {
    this.#refusals[verb] = times
  }

  /** What is asked for is done, and its answer waits until {@link release}. */
  hold(): void {
    this.#held ??= Promise.withResolvers()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  /** Calls of this kind, in order. */
  asked(verb: PowerVerb): PowerCall[] {
    return this.calls.filter((call) => call.verb === verb)
  }

  /** The status of the answer to a request, once it is done. */
  async answer({ path, json }: PeerRequest): Promise<number> {
    const [, root, name = '', verb] = path.split('/')
    const node = this.#nodes.get(name)
    if (root !== 'nodes' || !node || (verb !== 'fence' && verb !== 'reseed')) return 404
    const others = [...this.#nodes.values()].filter((other) => other !== node)
    const call: PowerCall = {
      at: performance.now(),
      verb,
      node: name,
      writable: verb === 'fence' ? await outOfRecovery(others) : [],
      ...(verb === 'reseed' && { from: String(json?.from) }),
    }
    this.calls.push(call)
    if (this.#refusals[verb] > 0) {
      this.#refusals[verb]--
      call.status = 503
    } else call.status = verb === 'fence' ? await fence(node) : await this.#reseed(node, call.from!)
    call.doneAt = performance.now()
    const text = `${verb} ${name}${call.from ? ` from ${call.from}` : ''} → ${call.status}`
    note({ from: 'power', to: name, kind: 'http', text, failed: call.status >= 500 })
    await this.#held?.promise
    return call.status
  }

  async #reseed(node: StartedPostgres, name: string): Promise<number> {
    const from = this.#nodes.get(name)
    if (!from || from === node) return 404
    if (await mayAnswer(node)) return 409
    return node.reseed(from, this.#conninfo(node.name, name)).then(
      () => 204,
      () => 503,
    )
  }
}

/** Opens a power device for these nodes. It ends with the test. */
export async function powerDevice(options: PowerDeviceOptions): Promise<PowerDevice> {
  const peer = await httpPeer({ name: 'power' })
  const device = new PowerDevice(peer.url, options)
  peer.answer = async (request) => {
    const status = await device.answer(request)
    return status === 409 ? { status, body: { error: 'not_fenced' } } : status
  }
  atEnd(() => {
    device.release()
    return peer.close()
  })
  return device
}

async function fence(node: StartedPostgres): Promise<number> {
  await node.kill({ forGood: true })
  return 204
}

async function outOfRecovery(nodes: readonly StartedPostgres[]): Promise<string[]> {
  const looks = nodes.map(async (node) => {
    const rows = await node
      .sql('SELECT pg_is_in_recovery() AS standby', [], { ms: LIVING_MS })
      .catch(() => [])
    return rows[0]?.standby === false ? [node.name] : []
  })
  return (await Promise.all(looks)).flat()
}

/** Frozen or starting it may answer later; only a refused connection means that nobody is there. */
async function mayAnswer(node: StartedPostgres): Promise<boolean> {
  return node.sql('SELECT 1', [], { ms: LOOK_MS }).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ECONNREFUSED',
  )
}
