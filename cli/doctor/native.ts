import { dirname } from 'node:path'
import { dataRoot, postgresBinaries, redisBinary, unprivilegedUser } from '#harness/runtime/binaries'
import { memoryFolder } from '#harness/runtime/memory'
import { canFetch } from '#harness/runtime/redis-apt'
import { same } from '#harness/text'
import { look, type Finding } from './finding.ts'
import { DOCTOR } from './messages.ts'

/** What servers on this machine need: programs, a user that Postgres agrees to, a folder for their data. */
export function lookAtNative(): Promise<Finding[]> {
  return Promise.all([
    look('postgres', postgres),
    look('redis', redis),
    look('user', user),
    look('data', data),
  ])
}

async function postgres(): Promise<Omit<Finding, 'topic'>> {
  return { status: 'ok', text: same((await postgresBinaries()).version) }
}

async function redis(): Promise<Omit<Finding, 'topic'>> {
  try {
    const { version, source } = await redisBinary({ fetch: false })
    return { status: 'ok', text: DOCTOR.redisFrom(version, source) }
  } catch (error) {
    if (process.env.REDIS_SERVER || process.platform !== 'linux' || !canFetch()) throw error
    return { status: 'ok', text: DOCTOR.redisLater }
  }
}

async function user(): Promise<Omit<Finding, 'topic'>> {
  const other = unprivilegedUser()
  return { status: 'ok', text: other ? DOCTOR.asOther(other.name) : DOCTOR.asYou }
}

async function data(): Promise<Omit<Finding, 'topic'>> {
  const { path, reason } = dataRoot()
  const memory = memoryFolder()
  if (memory) return { status: 'ok', text: same(dirname(memory)) }
  return {
    status: 'ok',
    text: reason ? { en: `${path}: ${reason.en}`, ja: `${path}:${reason.ja}` } : same(path),
  }
}
