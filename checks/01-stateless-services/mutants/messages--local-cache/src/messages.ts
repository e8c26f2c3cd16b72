import { Hono } from 'hono'
import { bodyOf, isText } from './input.ts'
import { query } from './stores.ts'

export const messages = new Hono()

const FRESH_MS = 1000

// #region messages
/** Lists that were read a moment ago: the database need not be asked again so soon. */
const lists = new Map<string, { at: number; list: unknown[] }>()

messages.post('/api/channels/:channel/messages', async (c) => {
  const channel = c.req.param('channel')
  const { author, text } = await bodyOf(c)
  if (!isText(author, 100) || !isText(text, 4000)) return c.json({ error: 'invalid_message' }, 400)

  const [message] = await query(
    'insert into messages (channel, author, text) values ($1, $2, $3) returning id::int, channel, author, text',
    [channel, author, text],
  )
  lists.delete(channel)
  return c.json(message, 201)
})

messages.get('/api/channels/:channel/messages', async (c) => {
  const channel = c.req.param('channel')
  const known = lists.get(channel)
  if (known && Date.now() - known.at < FRESH_MS) return c.json({ messages: known.list })
  const list = await query(
    'select id::int, channel, author, text from messages where channel = $1 order by id',
    [channel],
  )
  lists.set(channel, { at: Date.now(), list })
  return c.json({ messages: list })
})
// #endregion messages
