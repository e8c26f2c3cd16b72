import { beforeAll, expect, say, test, when } from '#harness'
import { instances, type Service } from './instances.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2)
})

test(
  say('a file put at one instance is read at the other', '片方に置いたファイルを、もう片方で読める'),
  async ({ random }) => {
    const { app1, app2 } = service
    const text = `notes of ${random.word()}\n`
    const headers = { 'content-type': 'text/plain; charset=utf-8' }

    when('notes.txt is put at app-1 and read at app-2', 'notes.txtをapp-1に置き、app-2で読む')
    const put = await app1.put('/api/files/notes.txt', text, { headers })
    expect(put).toAnswer(200, { name: 'notes.txt', bytes: text.length })
    const got = await app2.get('/api/files/notes.txt')
    expect(got.status, say('status at app-2', 'app-2のステータス')).toBe(200)
    expect(got.text, say('content', '内容')).toBe(text)
    expect(got.headers['content-type'], say('Content-Type', 'Content-Type')).toBe(headers['content-type'])
    expect(got.headers.etag, say('ETag', 'ETag')).toBe(put.headers.etag)
  },
)

test(
  say('a file outlives the instance that took it', 'ファイルは、受け取ったインスタンスより長生きする'),
  async () => {
    const { app1, app2 } = service
    await app1.put('/api/files/plan.txt', 'ship it', { headers: { 'content-type': 'text/plain' } })
    when('app-1 is killed after it took plan.txt', 'plan.txtを受け取ったapp-1を強制終了した')
    await app1.kill()
    const got = await app2.get('/api/files/plan.txt')
    expect([got.status, got.text], say('status and content at app-2', 'app-2のステータスと内容')).toEqual([
      200,
      'ship it',
    ])
  },
)
