import { setTimeout as pause } from 'node:timers/promises'
import { http } from '../http.ts'
import { processInfo } from '../process/table.ts'
import { same, say, type Text } from '../text.ts'
import { listeningPorts } from './listening.ts'

/** An instance that should answer on `port` and does not: its first process, and all of them. */
interface Instance {
  name: string
  port: number
  pid: number
  pids: number[]
}

/** What can be seen of an instance that does not become ready. */
export async function whyNotReady({ name, port, pid, pids }: Instance): Promise<Text> {
  const ports = listeningPorts(pids)
  const others = ports.filter((other) => other !== port)
  if (ports.includes(port)) {
    const last = await http(`http://127.0.0.1:${port}/health`, { within: 500, to: name })
    const seen = last.broken ?? same(`${last.status} ${last.text.slice(0, 200)}`)
    return say(`GET /health says: ${seen.en}`, `GET /healthの応答は「${seen.ja}」`)
  }
  if (others.length > 0) {
    return say(
      `it listens on port ${others.join(', ')}, not on PORT=${port}`,
      `PORT=${port}ではなく、ポート${others.join('、')}で待ち受けている`,
    )
  }
  const silent = say(`nothing listens on PORT=${port}`, `PORT=${port}で待ち受けがない`)
  if (!(await alwaysBusy(pid))) return silent
  return say(
    `${silent.en}, and the process never rests: an endless loop?`,
    `${silent.ja}。プロセスは休まず動き続けている（無限ループ？）`,
  )
}

/** Is it computing whenever one looks? A process that waits for something sleeps. */
async function alwaysBusy(pid: number): Promise<boolean> {
  for (let look = 0; look < 10; look++) {
    if (processInfo(pid)?.state !== 'R') return false
    await pause(2)
  }
  return true
}
