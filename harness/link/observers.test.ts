import { expect, test } from 'vitest'
import { Random } from '../random.ts'
import { observe, type Observer, type Segment } from './observer.ts'
import { postgresMessage as message } from './testing.ts'
import type { Protocol } from './types.ts'

/** What passes one way, and who sends it. */
type Turn = ['request' | 'reply', Buffer]

interface Told {
  begins: string[]
  completes: string[]
}

/** Feeds a conversation in the given pieces; every byte must come out again, in order and unchanged. */
function listen(observer: Observer, turns: Turn[], split: (bytes: Buffer) => Buffer[]): Told {
  const told: Told = { begins: [], completes: [] }
  for (const [direction, bytes] of turns) {
    const out: Buffer[] = []
    for (const chunk of split(bytes)) {
      const segments: Segment[] = observer[direction](chunk)
      for (const { bytes: passed, begins, completes, answers } of segments) {
        out.push(passed)
        if (begins) told.begins.push(begins.text)
        if (completes) told.completes.push(`${answers?.text} ${answers?.status ?? ''}`.trim())
      }
    }
    expect(Buffer.concat(out).equals(bytes)).toBe(true)
  }
  return told
}

const single = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]))

/** The same conversation whole, byte by byte, and in many random pieces tells the same. */
function fuzz(protocol: Protocol, turns: Turn[], expected: Told): void {
  expect(listen(observe(protocol), turns, (bytes) => [bytes])).toEqual(expected)
  expect(listen(observe(protocol), turns, single)).toEqual(expected)
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed)
    const most = random.int(1, 40)
    const split = (bytes: Buffer) => {
      const pieces: Buffer[] = []
      for (let at = 0; at < bytes.length;) {
        const size = random.int(1, most)
        pieces.push(bytes.subarray(at, at + size))
        at += size
      }
      return pieces
    }
    expect(listen(observe(protocol), turns, split), `seed ${seed}`).toEqual(expected)
  }
}

const turn = (direction: Turn[0], ...parts: (string | Buffer)[]): Turn => [
  direction,
  Buffer.concat(parts.map((part) => Buffer.from(part))),
]

test('HTTP: kept, pipelined, chunked, HEAD, interim, without a length', () => {
  const turns = [
    turn(
      'request',
      'GET /1?a=b HTTP/1.1\r\nHost: x\r\n\r\n',
      '\r\nPOST /2 HTTP/1.1\r\nContent-Length: 12\r\n\r\nGET / HTTP/1',
      'PUT /3 HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1a;ext="x"\r\nabcdefghijklmnopqrstuvwxyz\r\n',
      '5\r\n\r\n\r\n\n\r\n0\r\nX-Trailer: 1\r\n\r\n',
      'HEAD /4 HTTP/1.1\nHost: bare line feeds\n\n',
      'DELETE /5 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab',
      'GET /6 HTTP/1.1\r\n\r\n',
    ),
    turn(
      'reply',
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\r\n',
      'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ),
    turn('request', 'GET /7 HTTP/1.1\r\n\r\n'),
    turn('reply', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n\r\n until the end'),
  ]
  fuzz('http', turns, {
    begins: ['GET /1?a=b', 'POST /2', 'PUT /3', 'HEAD /4', 'DELETE /5', 'GET /6', 'GET /7'],
    completes: ['GET /1?a=b 200', 'POST /2 201', 'PUT /3 304', 'HEAD /4 200', 'DELETE /5 204', 'GET /6 200'],
  })
})

test('HTTP: after an upgrade nothing is a message any more', () => {
  const ask = 'GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n'
  const turns = [
    turn('request', ask),
    turn('reply', 'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 1\r\n\r\nx'),
    turn('request', ask),
    turn('reply', 'HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    turn('request', 'GET / HTTP/1.1\r\n\r\n', Buffer.from([0, 255, 1])),
    turn('reply', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  ]
  fuzz('http', turns, { begins: ['GET /ws', 'GET /ws'], completes: ['GET /ws 426', 'GET /ws 101'] })
})

test('HTTP: a tunnel, and heads that are none', () => {
  fuzz(
    'http',
    [
      turn('request', 'CONNECT a:1 HTTP/1.1\r\n\r\n'),
      turn('reply', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
      turn('request', 'GET / HTTP/1.1\r\n\r\n'),
    ],
    { begins: ['CONNECT a:1'], completes: ['CONNECT a:1 200'] },
  )
  for (const text of ['hello\r\n\r\n', 'GET /\r\n\r\n', 'GET / HTTP/2\r\n\r\n', '\x16\x03\x01 tls \n\n']) {
    fuzz('http', [turn('request', text, 'GET / HTTP/1.1\r\n\r\n')], { begins: [], completes: [] })
  }
})

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const untyped = (code: number, body = '') =>
  Buffer.concat([int32(8 + body.length), int32(code), Buffer.from(body)])
const startup = untyped(196610, 'user\0app\0application_name\0server-1\0\0')
const ready = message('Z', 'I')

test('Postgres: encryption refused, simple and extended queries, prepared ones, errors, COPY', () => {
  const turns = [
    turn('request', untyped(80877103)),
    turn('reply', 'N'),
    turn('request', startup),
    turn('reply', message('R', int32(5)), message('S', 'TimeZone\0UTC\0'), message('K', 'abcdefgh')),
    turn('request', message('p', 'md5secret\0')),
    turn('reply', message('R', int32(0)), ready),
    turn('request', message('Q', 'select 1\0')),
    turn(
      'reply',
      message('T', 'row'),
      message('D', Buffer.alloc(5000, 'Z')),
      message('C', 'SELECT 1\0'),
      ready,
    ),
    turn(
      'request',
      message('P', 'ins\0insert into t values ($1)\0'),
      message('B', `\0ins\0${'x'.repeat(5000)}`),
      message('D', 'P\0'),
      message('E', '\0'),
      message('S'),
      message('B', '\0ins\0'),
      message('E', '\0'),
      message('S'),
      message('S'),
    ),
    turn('reply', message('1'), message('2'), message('C', 'INSERT 0 1\0'), ready),
    turn('reply', message('E', 'S ERROR\0\0'), ready, message('A', 'a notification'), ready),
    turn('request', message('Q', 'copy t from stdin\0')),
    turn('reply', message('G', 'copy in')),
    turn('request', message('d', 'Q\0\0\0\0'), message('c')),
    turn('reply', message('C', 'COPY 1\0'), ready),
    turn('request', message('X')),
  ]
  const texts = [
    'select 1',
    'insert into t values ($1)',
    'insert into t values ($1)',
    'Sync',
    'copy t from stdin',
  ]
  fuzz('postgres', turns, { begins: texts, completes: texts })
})

test('Postgres: nothing is told of encrypted bytes or of a cancel request', () => {
  const nothing = { begins: [], completes: [] }
  const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])
  const encrypted = [turn('request', hello, message('Q', 'x\0')), turn('reply', 'tls', ready)]
  fuzz('postgres', [turn('request', untyped(80877103)), turn('reply', 'S'), ...encrypted], nothing)
  fuzz('postgres', encrypted, nothing)
  fuzz('postgres', [turn('request', untyped(80877102, '\0\0\0\x01\0\0\0\x02'))], nothing)
})

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

test('Redis: pipelines, inline commands, nested and empty replies, pushes of both protocols', () => {
  const turns = [
    turn(
      'request',
      command('HELLO', '3'),
      command('SET', 'k\r\n*1\r\n', '日本語'),
      'PING\r\n',
      '\r\nGET  k\r\n',
    ),
    turn('reply', '%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n+modules\r\n*0\r\n', '+OK\r\n+PONG\r\n'),
    turn('reply', '>3\r\n+message\r\n+ch\r\n$4\r\n+OK\r\r\n', '$2\r\n\r\n\r\n'),
    turn(
      'request',
      command('SUBSCRIBE', 'a', 'b'),
      command('LPUSH', 'l', 'x'.repeat(5000)),
      command('EVAL', 's', '0'),
    ),
    turn(
      'reply',
      '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n',
      ':1\r\n',
    ),
    turn(
      'reply',
      '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*4\r\n:1\r\n*2\r\n:2\r\n*0\r\n$-1\r\n*-1\r\n',
    ),
    turn(
      'request',
      command('EXEC'),
      command('LRANGE', 'l', '0', '0'),
      command('GET', 'none'),
      command('INFO'),
    ),
    turn('reply', '*2\r\n-ERR inside\r\n#t\r\n*0\r\n_\r\n=8\r\ntxt:a\r\nb\r\n'),
    turn('request', command('BLPOP', 'l', '0')),
    turn('reply', '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n'),
  ]
  const completes = [
    'HELLO 3',
    'SET k\r\n*1\r\n 日本語',
    'PING',
    'GET k',
    `LPUSH l ${'x'.repeat(4096)}`,
    'EVAL s 0',
  ]
  completes.push('EXEC', 'LRANGE l 0 0', 'GET none', 'INFO')
  const begins = [...completes.toSpliced(4, 0, 'SUBSCRIBE a b'), 'BLPOP l 0']
  fuzz('redis', turns, { begins, completes })
})

test('Redis: a stream behind MONITOR or PSYNC is no reply', () => {
  const turns = [
    turn('request', command('MONITOR')),
    turn('reply', '+OK\r\n+1700000000.1 [0 127.0.0.1:1] "GET" "k"\r\n+more\r\n'),
  ]
  fuzz('redis', turns, { begins: ['MONITOR'], completes: ['MONITOR'] })
  const replica = [
    turn('request', command('PSYNC', '?', '-1')),
    turn('reply', '+FULLRESYNC x 0\r\n$9\r\nREDIS0011'),
  ]
  fuzz('redis', replica, { begins: ['PSYNC ? -1'], completes: ['PSYNC ? -1'] })
})
