import { expect, test } from 'vitest'
import { pair, postgresMessage as message, settle, until } from './testing.ts'

const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])

test('Postgres: the reply to the statement that matches is lost, up to ReadyForQuery', async () => {
  await using p = await pair('postgres')
  p.client.write(startup)
  p.target.write(message('Z', 'I'))
  await until(() => p.client.bytes === 6)
  const loss = p.link.loseReply(/insert into orders/i)
  p.client.write(message('Q', 'begin\0'))
  p.target.write(Buffer.concat([message('C', 'BEGIN\0'), message('Z', 'T')]))
  await p.client.sees('BEGIN')
  p.client.write(message('Q', 'INSERT INTO orders values (1)\0'))
  await p.target.sees('INSERT')
  p.target.write(message('C', 'INSERT 0 1\0'))
  await settle()
  expect([p.client.closed, p.client.received.includes('INSERT 0')]).toEqual([false, false])
  p.target.write(message('Z', 'T'))
  await until(() => p.client.closed && p.target.closed)
  expect([p.client.error, p.target.error, loss.count]).toEqual(['ECONNRESET', 'ECONNRESET', 1])
  expect(p.client.received).not.toContain('INSERT 0')
  expect(p.link.events.at(-1)!.text).toBe('reply lost: INSERT INTO orders values (1)')
})

test('Redis: the reply to one command of a pipeline is lost, those before it and pushes are not', async () => {
  await using p = await pair('redis')
  using loss = p.link.loseReply((request) => request.method === 'PUBLISH')
  p.client.write('GET a\r\n*3\r\n$7\r\npublish\r\n$1\r\nc\r\n$1\r\nm\r\nGET b\r\n')
  await p.target.sees('GET b')
  p.target.write('+a\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n')
  await p.client.sees('message')
  p.target.write(':1\r\n+b\r\n')
  await until(() => p.client.closed && p.target.closed)
  expect(p.client.received).toBe('+a\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n')
  expect([p.client.error, loss.count]).toEqual(['ECONNRESET', 1])
})

test('beforeForward comes between any two commands of a pipeline', async () => {
  await using p = await pair('redis')
  const seen: string[] = []
  p.link.beforeForward(async ({ request }) => {
    await settle(1)
    seen.push(`${request?.text} after ${p.target.received.split('\r\n').length - 1}`)
  })
  p.client.write('SET a 1\r\nSET b 2\r\nSET c 3\r\n')
  await p.target.sees('c 3')
  await until(() => seen.length === 3)
  expect(seen.map((text) => text.split(' after ')[0])).toEqual(['SET a 1', 'SET b 2', 'SET c 3'])
  expect(p.target.received).toBe('SET a 1\r\nSET b 2\r\nSET c 3\r\n')
})

test('a long command passes as it comes; only its last bytes wait for the hook', async () => {
  await using p = await pair('redis')
  let calls = 0
  p.link.beforeForward(() => void calls++)
  const value = 'x'.repeat(3_000_000)
  const text = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\nPING\r\n`
  p.client.write(text)
  await until(() => p.target.bytes === text.length)
  expect(calls).toBe(2)
})
