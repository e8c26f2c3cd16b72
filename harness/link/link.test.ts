import net from 'node:net'
import { expect, test } from 'vitest'
import { closedPort, freePort } from '../ports.ts'
import { dial, linkTo, pair, scripted, settle, until } from './testing.ts'

test('bytes pass unchanged both ways and are counted', async () => {
  await using p = await pair()
  p.client.write('hello')
  await p.target.sees('hello')
  p.target.write('world!')
  await p.client.sees('world!')
  expect(p.link.counts).toEqual({
    connections: 1,
    rejected: 0,
    open: 1,
    bytesUp: 5,
    bytesDown: 6,
    requests: 0,
  })
})

test('a closed sending side passes, the other goes on', async () => {
  await using p = await pair()
  p.client.socket.end('last words')
  await until(() => p.target.ended)
  expect(p.target.received).toBe('last words')
  p.target.write('answer after the end')
  await p.client.sees('answer after the end')
  p.target.socket.end()
  await until(() => p.client.closed && p.target.closed)
  expect([p.client.error, p.target.error]).toEqual([undefined, undefined])
  await until(() => p.link.counts.open === 0)
})

test('a reset on one side is a reset on the other', async () => {
  for (const way of ['client', 'target'] as const) {
    await using p = await pair()
    const [first, other] = way === 'client' ? [p.client, p.target] : [p.target, p.client]
    first.socket.resetAndDestroy()
    await until(() => other.closed)
    expect(other.error).toBe('ECONNRESET')
    await until(() => p.link.counts.open === 0)
  }
})

test('a target that refuses is a reset for the client', async () => {
  await using link = await linkTo(await closedPort())
  const client = await dial(link.port)
  await until(() => client.closed)
  expect(client.error).toBe('ECONNRESET')
  expect(link.counts).toMatchObject({ connections: 1, rejected: 1, open: 0 })
})

test('cut resets what stands and what comes; open lets new connections through', async () => {
  await using p = await pair()
  expect(p.link.cut()).toBe(1)
  await until(() => p.client.closed && p.target.closed)
  expect([p.client.error, p.target.error]).toEqual(['ECONNRESET', 'ECONNRESET'])
  const rejected = await dial(p.link.port)
  await until(() => rejected.closed)
  expect(rejected.error).toBe('ECONNRESET')
  expect(p.link.counts).toMatchObject({ connections: 2, rejected: 1, open: 0 })
  expect(p.server.sides).toHaveLength(1)
  await p.link.open()
  const client = await dial(p.link.port)
  client.write('back')
  await (await p.server.next(1)).sees('back')
  client.socket.destroy()
})

test('reset is a blip: what stands and the next n, then all is well', async () => {
  await using p = await pair()
  expect(p.link.reset({ next: 1 })).toBe(1)
  await until(() => p.client.error === 'ECONNRESET')
  const second = await dial(p.link.port)
  await until(() => second.error === 'ECONNRESET')
  const third = await dial(p.link.port)
  third.write('third')
  await (await p.server.next(1)).sees('third')
  third.socket.destroy()
})

test('refuse closes the port, existing connections live on, open gets the same port back', async () => {
  await using p = await pair()
  const { port } = p.link
  for (let round = 0; round < 20; round++) {
    p.link.refuse()
    const refused = await dial(port)
    expect(refused.error).toBe('ECONNREFUSED')
    await p.link.open()
    const accepted = await dial(port)
    expect(accepted.error).toBeUndefined()
    accepted.socket.destroy()
  }
  p.client.write('still here')
  await p.target.sees('still here')
})

test('a black hole hides everything, and nothing is lost when it opens', async () => {
  await using p = await pair()
  p.client.write('1')
  await p.target.sees('1')
  p.link.blackHole()
  p.client.write('2')
  p.target.write('a')
  await until(() => p.link.held.request === 1 && p.link.held.reply === 1)
  p.client.write('3').socket.end()
  const silent = await dial(p.link.port)
  silent.write('4')
  await until(() => p.link.held.request === 3 && p.link.connections[0]!.clientEnded)
  await settle()
  expect([p.target.received, p.target.ended, p.client.received]).toEqual(['1', false, ''])
  expect([p.server.sides.length, silent.received, silent.closed]).toEqual([1, '', false])
  await p.link.open()
  await until(() => p.target.ended)
  expect([p.target.received, p.client.received]).toEqual(['123', 'a'])
  await (await p.server.next(1)).sees('4')
  silent.socket.destroy()
})

test('a reset inside a black hole is told when it opens', async () => {
  await using p = await pair()
  p.link.blackHole()
  p.target.socket.resetAndDestroy()
  await until(() => p.link.connections[0]!.targetEnded)
  await settle()
  expect(p.client.closed).toBe(false)
  await p.link.open()
  await until(() => p.client.error === 'ECONNRESET')
})

test('open({ reset: true }) resets what was silent', async () => {
  await using p = await pair()
  p.link.blackHole()
  p.client.write('never')
  await until(() => p.link.held.request === 5)
  await p.link.open({ reset: true })
  await until(() => p.client.error === 'ECONNRESET' && p.target.error === 'ECONNRESET')
  expect(p.target.received).toBe('')
})

test('retarget sends new connections elsewhere', async () => {
  await using first = await scripted()
  await using second = await scripted()
  await using link = await linkTo(first.port)
  const a = await dial(link.port)
  await first.next(0)
  link.retarget({ host: '127.0.0.1', port: second.port })
  const b = await dial(link.port)
  b.write('to the second')
  await (await second.next(0)).sees('to the second')
  a.write('to the first')
  await first.sides[0]!.sees('to the first')
  for (const side of [a, b]) side.socket.destroy()
})

test('beforeForward makes each chunk wait until it has finished', async () => {
  await using p = await pair()
  const seen: string[] = []
  let go!: () => void
  const gone = new Promise<void>((resolve) => (go = resolve))
  const hook = p.link.beforeForward(async ({ bytes, direction }) => {
    seen.push(`${direction} ${bytes.toString()}`)
    await gone
  }, 'reply')
  p.target.write('first')
  await until(() => seen.length === 1)
  p.target.write('second')
  await settle()
  expect([seen, p.client.received]).toEqual([['reply first'], ''])
  go()
  await p.client.sees('firstsecond')
  expect(seen).toEqual(['reply first', 'reply second'])
  hook.stop()
  p.target.write('third')
  await p.client.sees('third')
  expect(seen).toHaveLength(2)
})

test('a hook that throws is told by close, and the bytes pass', async () => {
  await using server = await scripted()
  const link = await linkTo(server.port)
  link.beforeForward(() => {
    throw new Error('the hook is broken')
  })
  const client = await dial(link.port)
  client.write('passes')
  await (await server.next(0)).sees('passes')
  await expect(link.close()).rejects.toThrow('the hook is broken')
})

test('counts can be compared and begun again; the timeline hears of the verbs', async () => {
  await using p = await pair()
  const before = p.link.counts
  p.client.write('12345')
  await p.target.sees('12345')
  expect(p.link.since(before)).toMatchObject({ connections: 0, bytesUp: 5 })
  p.link.resetCounts()
  expect(p.link.counts).toMatchObject({ connections: 0, open: 1, bytesUp: 0 })
  p.link.hold('reply')
  await p.link.open()
  p.link.cut()
  expect(p.link.events.map(({ from, to, text }) => `${from} ${to} ${text}`)).toEqual([
    'a b holds replies',
    'a b open',
    'a b cut: 1 connection reset',
  ])
})

test('verbs that need messages say so on a link that knows none', async () => {
  await using p = await pair()
  expect(() => p.link.loseReply()).toThrow('open a → b with a protocol')
  expect(() => p.link.capacity({ slots: 1, ms: 1 })).toThrow('protocol')
})

test('a link listens on all its addresses, on one port', async () => {
  await using server = await scripted((chunk, side) => side.write(chunk))
  const port = await freePort(['127.0.0.1', '127.0.0.2'])
  await using link = await linkTo(server.port, 'tcp', { hosts: ['127.0.0.1', '127.0.0.2'], port })
  for (const host of ['127.0.0.1', '127.0.0.2']) {
    const socket = net.connect({ host, port })
    socket.write('echo')
    const echoed = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    )
    expect(echoed).toBe('echo')
    socket.destroy()
  }
  expect(link.counts.connections).toBe(2)
})

test('a cut is told in the timeline once, however often a client tries', async () => {
  await using p = await pair()
  p.link.cut()
  for (let i = 0; i < 5; i++) {
    const client = await dial(p.link.port)
    await until(() => client.closed)
  }
  expect(p.link.events.map(({ text, failed }) => [text, failed])).toEqual([
    ['cut: 1 connection reset', undefined],
    ['a new connection is reset: the link is cut', true],
  ])
})
