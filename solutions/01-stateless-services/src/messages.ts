import { Hono } from 'hono'
import { bodyOf, isText } from './input.ts'
import { query } from './stores.ts'

export const messages = new Hono()

// #region messages
messages.post('/api/channels/:channel/messages', async (c) => {
  const channel = c.req.param('channel')
  const { author, text } = await bodyOf(c)
  if (!isText(author, 100) || !isText(text, 4000)) return c.json({ error: 'invalid_message' }, 400)

  const [message] = await query(
    'insert into messages (channel, author, text) values ($1, $2, $3) returning id::int, channel, author, text',
    [channel, author, text],
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
