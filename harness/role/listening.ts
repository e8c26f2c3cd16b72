import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** TCP ports that these processes listen on, for "it listens on 3000 instead". Linux only; elsewhere empty. */
export function listeningPorts(pids: number[]): number[] {
  if (process.platform !== 'linux') return []
  const sockets = new Set(pids.flatMap(socketsOf))
  const ports = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readLines(table)
      .map((line) => line.trim().split(/\s+/))
      // 0A: listening; field 9 is the socket's inode.
      .filter((fields) => fields[3] === '0A' && sockets.has(fields[9]!))
      .map((fields) => Number.parseInt(fields[1]!.split(':')[1]!, 16)),
  )
  return [...new Set(ports)]
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []
    })
  } catch {
    return [] // gone meanwhile
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1)
  } catch {
    return [] // no IPv6 on this machine
  }
}
