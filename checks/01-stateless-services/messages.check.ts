import { isDeepStrictEqual } from 'node:util'
import { beforeAll, burst, expect, say, test, when } from '#harness'
import { howMany, instances, type Service } from '../../labs/01-stateless-services/tests/instances.ts'
import { channel, textsAt } from '../../labs/01-stateless-services/tests/messages.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2, 3)
})

test(
  say(
    'sixty messages at once, and all instances tell the same',
    '60件を同時に投稿しても、どのインスタンスも同じ一覧を返す',
  ),
  async ({ random }) => {
    const { apps } = service
    const room = random.word()

    when(
      '60 messages are posted at once, 20 at each of three instances',
      '3つのインスタンスに20件ずつ、計60件を同時に投稿した',
    )
    const posted = await burst(60, (i) =>
      apps[i % 3]!.post(channel(room), { author: 'ann', text: `message ${i}` }),
    ).done
    expect(howMany(201, posted), say('answers 201', '201の応答の数')).toBe(60)
    const ids = new Set(posted.map((answer) => answer.body?.id))
    expect(ids.size, say('different ids', '異なるIDの数')).toBe(60)

    const lists = await Promise.all(apps.map((app) => app.get(channel(room))))
    for (const [i, list] of lists.entries()) {
      const seen: { id: number }[] = list.body?.messages ?? []
      const sorted = seen.toSorted((a, b) => a.id - b.id)
      const at = say(`list at app-${i + 1}`, `app-${i + 1}の一覧`)
      expect(seen.length, at).toBe(60)
      expect(
        seen.every((message, n) => message.id === sorted[n]!.id),
        say('ids ascend', 'IDが昇順である'),
      ).toBe(true)
      expect(
        isDeepStrictEqual(seen, lists[0]!.body?.messages),
        say('the same list as at app-1', 'app-1と同じ一覧である'),
      ).toBe(true)
    }
  },
)

test(say('no instance keeps a copy', 'どのインスタンスも写しを持たない'), async ({ random }) => {
  const { app1, app2 } = service
  const room = random.word()
  const label = say('texts at app-2', 'app-2が返すメッセージ')

  await app1.post(channel(room), { author: 'ann', text: 'first' })
  expect(await textsAt(app2, room), label).toEqual(['first'])
  when(
    'app-2 has listed a channel, and app-1 takes one more message for it',
    'app-2が一覧を返した直後に、app-1が次のメッセージを受け取った',
  )
  await app1.post(channel(room), { author: 'ben', text: 'second' })
  expect(await textsAt(app2, room), label, { hint: 1 }).toEqual(['first', 'second'])
})

test(say('text is text, whatever it says', '何が書かれていても、ただの文字列として扱う'), async () => {
  const { app1, app2 } = service
  const texts = [
    "it's",
    '"quoted" \\ back',
    "'); drop table messages;--",
    '$1 %s {{x}}',
    'two\nlines',
    '日本語 🍣',
    'x'.repeat(4000),
  ]
  const rooms = ['a/b', '100%', 'a b?c#d', '会議室', "o'clock"]
  when(
    'texts with quotes, SQL, emoji and 日本語 are posted',
    '引用符、SQL、絵文字、日本語を含むメッセージを投稿した',
  )
  for (const text of texts)
    expect((await app1.post(channel('odd'), { author: text.slice(0, 9), text })).status).toBe(201)
  expect(await textsAt(app2, 'odd'), say('texts at app-2', 'app-2が返すメッセージ')).toEqual(texts)
  for (const room of rooms) {
    when(`a message is posted to the channel ${room}`, `チャンネル「${room}」に投稿した`)
    expect(await app1.post(channel(room), { author: 'ann', text: 'hi' })).toAnswer(201, { channel: room })
    expect(await textsAt(app2, room), say('texts at app-2', 'app-2が返すメッセージ')).toEqual(['hi'])
  }
})

test(
  say('what is no message is refused and not stored', 'メッセージでないものは断り、保存しない'),
  async ({ random }) => {
    const { app1, app2 } = service
    const room = random.word()
    const bodies = [
      {},
      { author: 'ann' },
      { text: 'hi' },
      { author: 'ann', text: '' },
      { author: 'ann', text: 7 },
      { author: 'ann', text: 'x'.repeat(4001) },
      '{"author":',
      '[1]',
      'null',
    ]
    for (const body of bodies) {
      const shown = (typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 40)
      when(`a message is posted as ${shown}`, `メッセージとして「${shown}」を送った`)
      const headers = { 'content-type': 'application/json' }
      expect(await app1.post(channel(room), body, { headers })).toAnswer(400, { error: 'invalid_message' })
    }
    expect(await textsAt(app2, room), say('texts stored', '保存されたメッセージ')).toEqual([])
  },
)

test(
  say('an instance that hangs holds up nobody', '固まったインスタンスは、ほかを待たせない'),
  async ({ random }) => {
    const { app1, app2 } = service
    const room = random.word()
    await app1.post(channel(room), { author: 'ann', text: 'before' })
    when('app-1 is frozen (SIGSTOP)', 'app-1を凍結した（SIGSTOP）')
    await app1.freeze()
    expect(await app2.post(channel(room), { author: 'ben', text: 'after' })).toAnswer(201)
    expect(await textsAt(app2, room), say('texts at app-2', 'app-2が返すメッセージ')).toEqual([
      'before',
      'after',
    ])
    await app1.thaw()
  },
)
