import { connect } from 'node:net'

/** Does a Postgres at this port take a new session? A server that is starting up answers with an error instead. */
export function postgresAnswers(port: number): Promise<boolean> {
  const body = Buffer.from(
    '\0\x03\0\0user\0postgres\0database\0postgres\0application_name\0harness\0\0',
    'latin1',
  )
  const startup = Buffer.alloc(4 + body.length)
  startup.writeInt32BE(startup.length, 0)
  body.copy(startup, 4)
  // 'R' (authentication) with code 0: let in. 'E': not yet.
  return firstReply(port, startup, (reply) => reply[0] === 0x52)
}

/** Does a Redis at this port answer a PING? While it loads its data it answers with an error. */
export function redisAnswers(port: number): Promise<boolean> {
  return firstReply(port, Buffer.from('PING\r\n'), (reply) => reply.toString('latin1').startsWith('+PONG'))
}

function firstReply(port: number, request: Buffer, good: (reply: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => done(false))
    socket.on('connect', () => socket.write(request))
    socket.on('data', (reply) => done(good(reply)))
    socket.on('error', () => done(false))
    socket.on('close', () => done(false))
  })
}
