import { Hono } from 'hono'
import { bodyOf, isText } from './input.ts'
import { query } from './stores.ts'

export const messages = new Hono()

// #region messages
let lastId: number | undefined

/** The greatest id so far is asked for once; from then on this process counts. */
async function nextId(): Promise<number> {
  const [row] = await query<{ last: number }>('select coalesce(max(id), 0)::int as last from messages', [])
  lastId = Math.max(lastId ?? 0, row!.last) + 1
  return lastId
}

messages.post('/api/channels/:channel/messages', async (c) => {
  const channel = c.req.param('channel')
  const { author, text } = await bodyOf(c)
  if (!isText(author, 100) || !isText(text, 4000)) return c.json({ error: 'invalid_message' }, 400)

  const [message] = await query(
    'insert into messages (id, channel, author, text) values ($1, $2, $3, $4) returning id::int, channel, author, text',
    [await nextId(), channel, author, text],
  )
  return c.json(message, 201)
})

messages.get('/api/channels/:channel/messages', async (c) => {
  const list = await query(
    'select id::int, channel, author, text from messages where channel = $1 order by id',
    [c.req.param('channel')],
  )
  return c.json({ messages: list })
})
// #endregion messages
