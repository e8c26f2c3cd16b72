import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Random } from '../random.ts'
import { dial, pair, settle, until } from './testing.ts'

test('hold stops one direction and release lets it go on in order', async () => {
  await using p = await pair()
  p.link.hold('reply')
  p.client.write('asked')
  await p.target.sees('asked')
  for (const word of ['one ', 'two ', 'three']) p.target.write(word)
  p.target.socket.end()
  await until(() => p.link.held.reply === 13 && p.link.connections[0]!.targetEnded)
  expect([p.client.received, p.client.ended]).toEqual(['', false])
  p.link.release()
  await until(() => p.client.ended)
  expect(p.client.received).toBe('one two three')
})

test('holdOn holds the replies of the one connection in which the text passes', async () => {
  await using p = await pair()
  const other = await dial(p.link.port)
  const otherTarget = await p.server.next(1)
  const armed = p.link.holdOn('kv:7')
  p.client.write('GET k')
  await p.target.sees('GET k')
  expect(armed.isHeld).toBe(false)
  // The text lies over two chunks.
  p.client.write('v:7')
  await armed.held
  await p.target.sees('kv:7')
  p.target.write('old value')
  otherTarget.write('goes on')
  await other.sees('goes on')
  await until(() => p.link.held.reply === 9)
  expect([armed.isHeld, p.client.received]).toEqual([true, ''])
  armed.release()
  await p.client.sees('old value')
  p.client.write('kv:7 again')
  p.target.write('+')
  await p.client.sees('+')
  other.socket.destroy()
})

test('holdOn can hold the text itself, found by a pattern', async () => {
  await using p = await pair()
  using armed = p.link.holdOn(/insert\s+into/i, { holds: 'request' })
  p.client.write('begin;')
  await p.target.sees('begin;')
  p.client.write('INSERT INTO t')
  await armed.held
  await settle()
  expect(p.target.received).toBe('begin;')
  armed.release()
  await p.target.sees('INSERT INTO t')
})

test('release lets holdOn go as well and disarms it', async () => {
  await using p = await pair()
  const armed = p.link.holdOn('x', { seen: 'reply', holds: 'reply' })
  p.target.write('x')
  await armed.held
  const never = p.link.holdOn('y')
  p.link.release()
  await p.client.sees('x')
  p.client.write('y')
  p.target.write('passes')
  await p.client.sees('passes')
  expect([armed.isHeld, never.isHeld]).toEqual([false, false])
})

test('delay keeps the order and the time, each way', async () => {
  await using p = await pair()
  p.link.delay(40, { jitter: 20 })
  const started = performance.now()
  const sent = Array.from({ length: 50 }, (_, i) => `${i},`)
  for (const text of sent) {
    p.client.write(text)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => p.target.received.length > 0)
  expect(performance.now() - started).toBeGreaterThan(18)
  await p.target.sees('49,')
  expect(p.target.received).toBe(sent.join(''))
  p.target.write('later')
  await until(() => p.link.held.reply === 5)
  p.link.delay(0)
  await p.client.sees('later')
})

test('rate shares its bytes a second among the connections of a link', async () => {
  await using p = await pair()
  const other = await dial(p.link.port)
  const otherTarget = await p.server.next(1)
  p.link.rate(1_000_000, 'reply')
  const started = performance.now()
  p.target.write(Buffer.alloc(150_000))
  otherTarget.write(Buffer.alloc(150_000))
  await until(() => p.client.bytes + other.bytes === 300_000)
  const seconds = (performance.now() - started) / 1000
  expect(seconds).toBeGreaterThan(0.28)
  expect(seconds).toBeLessThan(1.5)
  other.socket.destroy()
})

test('a reader that does not read slows the writer: the link keeps little', async () => {
  await using p = await pair()
  p.client.socket.pause()
  const total = 40_000_000
  let sent = 0
  const chunk = Buffer.alloc(100_000, 'x')
  const pump = () => {
    while (sent < total && p.target.socket.write(chunk)) sent += chunk.length
    if (sent < total) p.target.socket.once('drain', pump)
  }
  pump()
  await until(() => p.link.held.reply > 1_000_000)
  await settle(100)
  expect(p.link.held.reply).toBeLessThan(1_300_000)
  expect(sent).toBeLessThan(total)
  p.client.socket.resume()
  await until(() => sent >= total && p.client.bytes >= total)
})

test('a reset overtakes what a reader does not take', async () => {
  await using p = await pair()
  p.client.socket.pause()
  for (let i = 0; i < 100; i++) p.target.write(Buffer.alloc(100_000))
  await until(() => p.link.held.reply > 1_000_000)
  p.client.socket.on('error', () => undefined)
  p.link.cut()
  await until(() => p.target.error === 'ECONNRESET')
})

test('whatever is done to a living connection, its bytes arrive whole and in order', async () => {
  await using p = await pair()
  const random = new Random(7)
  const total = 3_000_000
  const sent = Array.from({ length: total / 1000 }, (_, i) => String(i).padStart(1000, '.')).join('')
  const received = { client: createHash('md5'), target: createHash('md5') }
  p.client.socket.on('data', (chunk) => received.client.update(chunk))
  p.target.socket.on('data', (chunk) => received.target.update(chunk))
  for (const side of [p.client, p.target]) {
    for (let at = 0; at < total;) {
      const size = random.int(1, 90_000)
      side.write(sent.slice(at, at + size))
      at += size
    }
    side.socket.end()
  }
  const verbs = [
    () => p.link.hold('request'),
    () => p.link.hold('reply'),
    () => p.link.blackHole(),
    () => p.link.delay(random.int(1, 4), { jitter: 2 }),
    () => p.link.rate(random.int(1, 50) * 1_000_000),
    () => p.link.release(),
    () => p.link.open(),
    () => p.link.open(),
  ]
  while (!(p.client.ended && p.target.ended)) {
    await Promise.resolve(random.pick(verbs)())
    if (random.next() < 0.3) await settle(2)
  }
  const expected = createHash('md5').update(sent).digest('hex')
  expect([received.client.digest('hex'), received.target.digest('hex')]).toEqual([expected, expected])
})
