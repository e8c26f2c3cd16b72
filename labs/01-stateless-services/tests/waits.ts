import { setTimeout as pause } from 'node:timers/promises'

/**
 * Gives something time that a correct design may do or not: nobody fails when it does not come. It only lets a wrong
 * design get as far as its mistake.
 */
export async function giveTime(ms: number, look: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ms
  while (performance.now() < deadline && !(await look())) await pause(20)
}
