import { expect, test } from 'vitest'
import { Capacity, Rate } from './capacity.ts'
import { httpPeer } from '../http-peer.ts'
import { dial, linkTo, pair, postgresMessage as message, scripted, settle, until } from './testing.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** Clients that ask again as soon as they are answered; the rate of their answers, the first ones left out. */
async function closedLoop(
  ports: number[],
  clients: number,
  answers: number,
): Promise<{ least: number; most: number }> {
  const sides = await Promise.all(Array.from({ length: clients }, (_, i) => dial(ports[i % ports.length]!)))
  const first = answers / 10
  let count = 0
  let from = 0
  let stalled = 0
  let turn = 0
  // Another process may take this one's core for so long that no client can ask.
  const watch = setInterval(() => {
    if (count > first && performance.now() - turn > 20) stalled += performance.now() - turn
    turn = performance.now()
  }, 2)
  await new Promise<void>((resolve) => {
    for (const side of sides) {
      side.socket.on('data', () => {
        if (++count === first) from = performance.now()
        if (count === answers) resolve()
        if (count < answers) side.write(GET)
      })
      side.write(GET)
    }
  })
  const took = performance.now() - from
  clearInterval(watch)
  for (const { socket } of sides) socket.destroy()
  const rate = (ms: number) => ((answers - first) * 1000) / ms
  return { most: rate(took), least: rate(took - stalled) }
}

test('the clock gives exactly slots ÷ ms, however late it is asked', () => {
  const capacity = new Capacity({ slots: 4, ms: 20 })
  const times = Array.from({ length: 1000 }, (_, i) => capacity.take(i / 1000))
  expect(times.filter((at) => at <= 1000)).toHaveLength(1000 / 5 - 4 + 1)
  expect(times.at(-1)! - times[0]!).toBeCloseTo((1000 / 4 - 1) * 20, 0)
  expect(capacity.taken).toBe(1000)
  // What was not used is not saved up.
  expect(capacity.take(100_000)).toBe(100_020)
  expect(() => new Capacity({ slots: 0, ms: 1 })).toThrow(RangeError)
  const rate = new Rate(1000)
  expect([rate.take(100, 0), rate.take(100, 50), rate.take(100, 1000)]).toEqual([100, 200, 1100])
})

test('4 slots × 20 ms carry 200 requests a second of 32 clients', async () => {
  await using server = await scripted((_, side) => side.write(OK))
  await using link = await linkTo(server.port, 'http')
  link.capacity({ slots: 4, ms: 20 })
  const { least, most } = await closedLoop([link.port], 32, 450)
  expect(least).toBeGreaterThan(200 * 0.97)
  expect(most).toBeLessThan(200 * 1.03)
})

test('two links that share a capacity carry together what it is', async () => {
  await using server = await scripted((_, side) => side.write(OK))
  await using first = await linkTo(server.port, 'http')
  await using second = await linkTo(server.port, 'http')
  const node = first.capacity({ slots: 2, ms: 10 })
  second.capacity(node!)
  const { least, most } = await closedLoop([first.port, second.port], 12, 200)
  expect(least).toBeGreaterThan(200 * 0.95)
  expect(most).toBeLessThan(200 * 1.05)
  expect(node!.taken).toBe(first.counts.requests + second.counts.requests)
})

test('pipelined Redis commands take a slot each, in order', async () => {
  await using p = await pair('redis')
  p.link.capacity({ slots: 1, ms: 10 })
  const started = performance.now()
  p.client.write(Array.from({ length: 20 }, (_, i) => `SET k ${i}\r\n`).join(''))
  await p.target.sees('k 19')
  expect(performance.now() - started).toBeGreaterThan(195)
  expect(p.target.received).toBe(Array.from({ length: 20 }, (_, i) => `SET k ${i}\r\n`).join(''))
  expect(p.link.counts.requests).toBe(20)
})

test('a late timer costs a queue nothing', async () => {
  await using p = await pair('redis')
  p.link.capacity({ slots: 1, ms: 1 })
  p.client.write('PING\r\n'.repeat(500))
  await until(() => p.target.bytes > 0)
  // Nothing runs for 300 ms; what was due meanwhile is made up for at once.
  for (const end = performance.now() + 300; performance.now() < end;);
  await settle(20)
  expect(p.target.bytes).toBeGreaterThan(250 * 6)
})

test('a Postgres statement in the extended protocol takes one slot', async () => {
  await using p = await pair('postgres')
  const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])
  const capacity = p.link.capacity({ slots: 1, ms: 1 })
  p.client.write(startup)
  await until(() => p.target.bytes === 9)
  expect(capacity!.taken).toBe(0)
  const statement = [
    message('P', '\0select 1\0\0\0'),
    message('B', '\0\0\0\0\0\0\0\0'),
    message('E', '\0\0\0\0\0'),
    message('S'),
  ]
  p.client.write(Buffer.concat([...statement, ...statement, message('Q', 'select 2\0')]))
  await p.target.sees('select 2')
  expect(capacity!.taken).toBe(3)
})

test('without capacity what waited for a slot goes on at once', async () => {
  await using peer = await httpPeer()
  await using link = await linkTo(peer.port, 'http')
  link.capacity({ slots: 1, ms: 600_000 })
  const answer = fetch(link.url, { signal: AbortSignal.timeout(5000) })
  await until(() => link.held.request > 0)
  link.capacity(null)
  expect((await answer).status).toBe(200)
})
