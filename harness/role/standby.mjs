import { flushCompileCache } from 'node:module'
import { Socket } from 'node:net'

// Loaded before a role's own code.

const packages = process.env.WORKBOOK_STANDBY
delete process.env.WORKBOOK_STANDBY // a worker that the role forks waits for nobody

if (packages) {
  for (const name of packages.split(',')) await import(name)
  Object.assign(process.env, await order())
  const launched = performance.now()
  // Waiting is no part of the role's life, and a service may say how old it is.
  process.uptime = () => (performance.now() - launched) / 1000
}

// Node writes its compile cache when a process ends by itself, and roles are killed: without this no start would ever
// find anything in it. A start then takes half the time.
setTimeout(() => flushCompileCache(), 30).unref()

/** The settings of the role that this process becomes. Whoever made it may end without a word: then so does this. */
async function order() {
  const line = new Socket({ fd: 3 }).setEncoding('utf8')
  let text = ''
  for await (const part of line) {
    text += part
    if (text.endsWith('\n')) return JSON.parse(text)
  }
  process.exit()
}
