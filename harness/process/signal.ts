import { eventuallyTrue } from '../wait.ts'
import { familyOf, isAlive, processInfo, type Family, type ProcessInfo } from './table.ts'

/** SIGKILL to a process and all that belongs to it; resolves when every one of them is gone. */
export async function killTree(root: number, family: Omit<Family, 'root'> = {}): Promise<void> {
  let ending: ProcessInfo[] = []
  await eventuallyTrue(`processes below ${root} to end`, () => {
    ending = ending.filter((p) => isAlive(p.pid, p.started))
    if (ending.length > 0) return false
    // One of them may have started another meanwhile. To look for those is dear: it reads the whole process table.
    ending = familyOf({ root, ...family }).filter((p) => p.pid !== process.pid && p.state !== 'Z')
    for (const p of ending) send(p.pid, 'SIGKILL')
    return ending.length === 0
  })
}

/** SIGSTOP to a process and all that belongs to it; resolves when the system shows every one of them as stopped. */
export async function freezeTree(root: number, family: Omit<Family, 'root'> = {}): Promise<void> {
  await eventuallyTrue(`processes below ${root} to stop`, () => {
    const running = familyOf({ root, ...family }).filter((p) => !'TZ'.includes(p.state))
    for (const p of running) send(p.pid, 'SIGSTOP')
    return running.length === 0
  })
}

/** SIGCONT to a process and all that belongs to it. */
export async function thawTree(root: number, family: Omit<Family, 'root'> = {}): Promise<void> {
  await eventuallyTrue(`processes below ${root} to go on`, () => {
    const stopped = familyOf({ root, ...family }).filter((p) => p.state === 'T')
    for (const p of stopped) send(p.pid, 'SIGCONT')
    return stopped.length === 0
  })
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Resolves when the process is gone. */
export async function gone(pid: number, within = 10_000): Promise<void> {
  const started = processInfo(pid)?.started
  await eventuallyTrue(`process ${pid} to end`, () => !isAlive(pid, started), { within })
}
