import { createWriteStream } from 'node:fs'
import type { Container } from 'dockerode'
import { eventuallyTrue, Fatal } from '../wait.ts'
import { alreadySo } from './docker-left.ts'
import type { ServerNode } from './runtime.ts'

/** Does a client of this machine get in at this port? */
export type Ready = (port: number) => Promise<boolean>

/** A server in a container that runs already. */
export class DockerNode implements ServerNode {
  readonly host = '127.0.0.1'
  readonly name: string
  readonly port: number
  announced?: number
  readonly log: string
  readonly #container: Container
  readonly #ready: Ready
  readonly #write: (reseed: string) => Promise<void>
  #starting: Promise<void> | undefined

  /** @param write puts this into the container's file {@link RESEED} */
  constructor(
    name: string,
    port: number,
    log: string,
    container: Container,
    ready: Ready,
    write: (reseed: string) => Promise<void>,
  ) {
    this.name = name
    this.port = port
    this.log = log
    this.#container = container
    this.#ready = ready
    this.#write = write
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined))
    return this.#starting
  }

  async #start(): Promise<void> {
    // Attached twice, each line would stand twice in its log.
    if ((await this.#container.inspect()).State.Running) return
    // Attached before the start, so that not one line of its log is missed.
    const output = await this.#container.attach({ stream: true, stdout: true, stderr: true })
    const file = createWriteStream(this.log, { flags: 'a' })
    this.#container.modem.demuxStream(output, file, file)
    output.once('end', () => file.end())
    await this.#container.start()
    let looks = 0
    const look = async (): Promise<boolean> => {
      if (await this.#ready(this.port)) return true
      // Asking the daemon costs more than the look: once in a while is enough to notice a dead container.
      if (++looks % 20 === 0 && !(await this.#container.inspect()).State.Running)
        throw new Fatal(new Error(`${this.name} ended before it was ready`))
      return false
    }
    await eventuallyTrue(`${this.name} to accept connections`, look, { within: 30_000 })
  }

  async kill(): Promise<void> {
    // Removed meanwhile, it has ended, too.
    const ended = this.#container.wait().catch(alreadySo)
    // Frozen, it is killed frozen: thawed first, it might still answer somebody.
    await this.#container.kill().catch(alreadySo)
    await this.thaw()
    await this.#container.kill().catch(alreadySo)
    await ended
  }

  async freeze(): Promise<void> {
    // On cgroups of version 1 a busy container now and then escapes the freezer; runc lets it go on and says so.
    await eventuallyTrue(`${this.name} to be frozen`, async () => {
      await this.#container.pause().catch(alreadySo)
      return (await this.#container.inspect()).State.Paused
    })
  }

  async thaw(): Promise<void> {
    await this.#container.unpause().catch(alreadySo)
  }

  async reseed(from: ServerNode, conninfo: string): Promise<void> {
    await this.#starting?.catch(() => {}) // whoever started it was told
    if ((await this.#container.inspect()).State.Running) throw new Error(`${this.name} runs`)
    await this.#write(`${from.port}\n${conninfo}\n`)
    await this.start()
  }

  async remove(): Promise<void> {
    await this.#container.remove({ force: true, v: true }).catch(alreadySo)
  }
}
