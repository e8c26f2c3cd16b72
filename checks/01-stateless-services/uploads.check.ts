import { ahead, beforeAll, burst, expect, httpClient, say, test, when } from '#harness'
import { digest, pathOf, put } from '../../labs/01-stateless-services/tests/files.ts'
import { howMany, instances, type Service } from '../../labs/01-stateless-services/tests/instances.ts'

/** `MAX_UPLOAD_BYTES` where nothing is said. */
const LARGEST = 1024 * 1024
/** Far enough below the limit: bytes that were taken for text grow, and must not be refused for their size. */
const PHOTO = 256 * 1024

let service: Service

beforeAll(async () => {
  service = await instances(2, 3)
  // The red tests have ended it, and the next step needs it.
  void ahead(() => instances(1))
})

const CONTENT = say('content', '内容')

test(say('every byte comes back', 'すべてのバイトが元のまま返る'), async ({ random }) => {
  const { app2, app3 } = service
  const bytes = Buffer.concat([
    Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    random.bytes(PHOTO - 256),
  ])
  when(
    `${PHOTO} random bytes are put at app-2 and read at app-3`,
    `乱数の${PHOTO}バイトをapp-2に置き、app-3で読んだ`,
  )
  expect((await put(app2, 'photo', bytes)).status, say('status', 'ステータス')).toBe(200)
  const got = await app3.get(pathOf('photo'))
  expect(digest(got.bytes), CONTENT).toBe(digest(bytes))

  when('an empty file is put at app-2', '空のファイルをapp-2に置いた')
  expect(await put(app2, 'empty', '')).toAnswer(200, { bytes: 0 })
  const empty = await app3.get(pathOf('empty'))
  expect([empty.status, empty.bytes.length], say('status and bytes', 'ステータスとバイト数')).toEqual([
    200, 0,
  ])
  expect(await app3.get(pathOf('no such file'))).toAnswer(404, { error: 'not_found' })
})

test(
  say('a new version replaces the old one everywhere', '新しい版は、どこでも古い版に置き換わる'),
  async ({ random }) => {
    const { app2, app3 } = service
    const first = await put(app2, 'draft', 'first', { 'content-type': 'text/a' })
    const old = { 'if-none-match': first.headers.etag }
    when(
      'a client that has the file asks whether it changed',
      'ファイルを持つクライアントが、変更の有無を尋ねた',
    )
    for (const app of [app2, app3])
      expect(
        (await app.get(pathOf('draft'), { headers: old })).status,
        say(`status at ${app.name}`, `${app.name}のステータス`),
      ).toBe(304)

    when('the file is replaced at app-3', 'ファイルをapp-3で置き換えた')
    const text = random.word()
    const second = await put(app3, 'draft', text, { 'content-type': 'text/b' })
    const got = await app2.get(pathOf('draft'), { headers: old })
    expect(
      [got.status, got.text, got.headers['content-type']],
      say('status, content and type at app-2', 'app-2のステータス、内容、種類'),
    ).toEqual([200, text, 'text/b'])
    expect(
      got.headers.etag === second.headers.etag && second.headers.etag !== first.headers.etag,
      say('the new ETag at app-2', 'app-2のETagが新しくなる'),
    ).toBe(true)
  },
)

test(say('too large is refused, and nothing of it stays', '大きすぎるものは断り、何も残さない'), async () => {
  const { app2, app3 } = service
  const large = Buffer.alloc(LARGEST + 1, 'x')
  await put(app2, 'kept', 'old content')
  for (const [how, headers] of [
    ['Content-Length', {}],
    ['chunks', { 'transfer-encoding': 'chunked' }],
  ] as const) {
    when(`one byte too many is put, sent with ${how}`, `1バイトだけ大きいファイルを送った（${how}）`)
    const answer = await put(app2, 'kept', large, headers)
    expect(answer).toAnswer(413, { error: 'too_large' })
    expect((await app3.get(pathOf('kept'))).text, CONTENT).toBe('old content')
  }
})

test(
  say('an upload that breaks off leaves nothing', '途中で切れたアップロードは、何も残さない'),
  async () => {
    const { app2, app3 } = service
    await put(app2, 'kept', 'old content')
    const half = {
      declared: ['content-length: 1000', 'half of it'],
      chunked: ['transfer-encoding: chunked', 'a\r\nhalf of it\r\n'],
    }
    for (const [how, [header, body]] of Object.entries(half)) {
      for (const name of ['kept', `new-${how}`]) {
        when(
          `a client sends half of ${name} (${how}) and goes away`,
          `クライアントが${name}を途中まで送り（${how}）、いなくなった`,
        )
        const client = await httpClient(app2)
        await client.write(`PUT ${pathOf(name)} HTTP/1.1\r\nhost: app\r\n${header}\r\n\r\n${body}`)
        // The next request is served after those bytes have been read, the one after it when the end has been seen,
        // and the last when something may have been stored for it.
        await put(app2, 'barrier', how)
        await client.end()
        for (const barrier of ['seen', 'stored']) await put(app2, barrier, name)
        const seen = await app3.get(pathOf(name))
        if (name === 'kept') expect(seen.text, CONTENT).toBe('old content')
        else expect(seen, say('the new name', '新しい名前')).toAnswer(404)
      }
    }
  },
)

test(
  say('twenty at once: one of them, and whole', '20件が同時に来ても、残るのはどれか1件の全体'),
  async () => {
    const { apps, app2, app3 } = service
    when(
      '20 clients put a file of the same name at once',
      '20のクライアントが、同じ名前のファイルを同時に置いた',
    )
    const files = Array.from({ length: 20 }, (_, i) =>
      Buffer.alloc(20_000 + i, `${String.fromCharCode(97 + i)}`),
    )
    const answers = await burst(20, (i) =>
      put(apps[i % 2]!, 'busy', files[i]!, { 'content-type': `text/x-${files[i]![0]}` }),
    ).done
    expect(howMany(200, answers), say('uploads that were taken', '受け付けられたアップロード')).toBe(20)
    const [one, two] = await Promise.all([app2.get(pathOf('busy')), app3.get(pathOf('busy'))])
    expect(
      files.some((file) => file.equals(one!.bytes)),
      say('content at app-2 is one of them, whole', 'app-2の内容は、どれか1件の全体である'),
    ).toBe(true)
    expect(one!.headers['content-type'], say('its type', 'その種類')).toBe(`text/x-${one!.bytes[0]}`)
    expect(
      one!.bytes.equals(two!.bytes) && one!.headers.etag === two!.headers.etag,
      say('the same at app-3', 'app-3でも同じである'),
    ).toBe(true)
  },
)

test(say('a name is a name and nothing else', '名前は名前であり、それ以外の意味を持たない'), async () => {
  const { app2, app3 } = service
  const names = [
    'two words.txt',
    '議事録.txt',
    '../../etc/passwd',
    '..%2F..%2Fetc%2Fpasswd',
    '"quoted"',
    "o'clock;--",
  ]
  for (const name of names) {
    when(`a file named ${name} is put at app-2`, `${name}という名前のファイルをapp-2に置いた`)
    expect(await put(app2, name, `this is ${name}`)).toAnswer(200, { name })
  }
  for (const name of names)
    expect((await app3.get(pathOf(name))).text, say(`${name} at app-3`, `app-3の${name}`)).toBe(
      `this is ${name}`,
    )
})
