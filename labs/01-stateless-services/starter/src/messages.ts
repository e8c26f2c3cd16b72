import { Hono } from 'hono'
import { bodyOf, isText } from './input.ts'

interface Message {
  id: number
  channel: string
  author: string
  text: string
}

export const messages = new Hono()

// #region messages
const channels = new Map<string, Message[]>()
let lastId = 0

messages.post('/api/channels/:channel/messages', async (c) => {
  const channel = c.req.param('channel')
  const { author, text } = await bodyOf(c)
  if (!isText(author, 100) || !isText(text, 4000)) return c.json({ error: 'invalid_message' }, 400)

  // TODO(messages): store it where every instance finds it, and let that place give the id.
  const message: Message = { id: ++lastId, channel, author, text }
  channels.set(channel, [...(channels.get(channel) ?? []), message])

  return c.json(message, 201)
})

messages.get('/api/channels/:channel/messages', async (c) => {
  const channel = c.req.param('channel')

  // TODO(messages): read it from there, oldest first.
  const list = channels.get(channel) ?? []

  return c.json({ messages: list })
})
// #endregion messages
