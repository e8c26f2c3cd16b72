import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { flushCompileCache, registerHooks } from 'node:module'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Loaded before a role's own code.

const { WORKBOOK_STANDBY: packages, WORKBOOK_STRIPPED: stripped } = process.env
// A worker that the role forks waits for nobody.
delete process.env.WORKBOOK_STANDBY
delete process.env.WORKBOOK_STRIPPED

// Files whose types the command has stripped already: this process need not load the compiler for that.
if (stripped) {
  registerHooks({
    load(url, context, nextLoad) {
      const source = context.format === 'module-typescript' ? withoutTypes(url) : undefined
      return source ? { format: 'module', source, shortCircuit: true } : nextLoad(url, context)
    },
  })
}

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

function withoutTypes(url) {
  try {
    return readFileSync(join(stripped, hash('sha1', readFileSync(fileURLToPath(url)))))
  } catch {
    return undefined
  }
}

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
