import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BuiltSite } from '../server/pages.ts'

/** A static host of a built site: files alone, no API, no mark that there is one. Any port of this machine. */
export async function staticHost(folder: string): Promise<Server> {
  const site = new BuiltSite(folder, { live: false })
  const server = createServer((request, response) => void answer(site, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

async function answer(site: BuiltSite, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const found = site.answer(new URL(request.url ?? '/', 'http://x').pathname)
  response.writeHead(found.status, { 'content-type': found.headers.get('content-type') ?? '' })
  response.end(Buffer.from(await found.arrayBuffer()))
}
