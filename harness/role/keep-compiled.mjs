import { flushCompileCache } from 'node:module'

// Loaded before a role's own code. Node writes its compile cache when a process ends by itself, and roles are killed:
// without this no start would ever find anything in it. A start then takes half the time.
setTimeout(flushCompileCache, 30).unref()
