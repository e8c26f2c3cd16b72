import { hash } from 'node:crypto'
import { readFileSync, rmSync, symlinkSync } from 'node:fs'
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
  const names = packages.split(',')
  for (const name of names) await import(name)
  const { rehearse } = await import('./rehearsal.mjs')
  await rehearse(names).catch(() => {}) // its first request is then as slow as anybody's
  become(await order())
}

// Node writes its compile cache when a process ends by itself, and roles are killed: without this no start would ever
// find anything in it. A start then takes half the time.
setTimeout(() => flushCompileCache(), 30).unref()

/** Which role this process is, from now on. */
function become({ dir, main, args, env }) {
  const launched = performance.now()
  const [node, entry] = process.argv
  Object.assign(process.env, env)
  delete process.env.WORKBOOK_STRIPPED
  process.chdir(dir)
  // Node looks up its main module when this module is done: what the link names is then the module's own path.
  rmSync(entry, { force: true })
  symlinkSync(main, entry)
  setTimeout(() => rmSync(entry, { force: true }), 30).unref()
  process.argv = [node, main, ...args]
  // Waiting is no part of the role's life, and a service may say how old it is.
  process.uptime = () => (performance.now() - launched) / 1000
}

function withoutTypes(url) {
  try {
    return readFileSync(join(stripped, hash('sha1', readFileSync(fileURLToPath(url)))))
  } catch {
    return undefined
  }
}

/** What this process is to become. Whoever made it may end without a word: then so does this. */
async function order() {
  const line = new Socket({ fd: 3 }).setEncoding('utf8')
  let text = ''
  for await (const part of line) {
    text += part
    if (text.endsWith('\n')) return JSON.parse(text)
  }
  process.exit()
}
