import { startCommand, type Exit, type Monitor, type StartedCommand } from '#harness'
import { newKey, PATIENT, type Front } from './front.ts'

type Env = Record<string, string | number>

/** Fields that every entry of a row has. */
export const FIELDS = ['value', 'version', 'fetchedAt', 'deltaMs', 'freshUntil']

export interface WarmRun extends Exit {
  /** Its last line, as JSON. */
  report: { warmed?: number; skipped?: number; batches?: number } | undefined
}

/** Rows read more than 1,000 times, and rows read less. */
export async function popularRows(
  front: Front,
  popular: number,
  others = 0,
): Promise<{ popular: string[]; others: string[] }> {
  await front.db.sql('DELETE FROM data')
  const make = async (count: number, from: number): Promise<string[]> => {
    const keys = Array.from({ length: count }, newKey)
    await front.db.sql(
      `INSERT INTO data (key, value, access_count)
       SELECT k, to_jsonb(k), $2::int + n FROM unnest($1::text[]) WITH ORDINALITY t(k, n)`,
      [keys, from],
    )
    return keys
  }
  return { popular: await make(popular, 1000), others: await make(others, 100) }
}

let runs = 0

/** Starts the role `warm`, straight at its stores. */
export function startWarm(front: Front, env: Env = {}): Promise<StartedCommand> {
  const name = `warm-${++runs}`
  const settings: Env = {
    SERVER_NAME: name,
    DATABASE_URL: front.db.url(name),
    REDIS_URL: front.redis.url(),
    ...PATIENT,
    WARM_LIMIT: 30,
    WARM_BATCH: 10,
    WARM_PAUSE_MS: 100,
    ...env,
  }
  return startCommand('warm', {
    name,
    env: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
  })
}

export async function ended(started: StartedCommand): Promise<WarmRun> {
  const exit = await started.ended()
  return { ...exit, report: lastJson(exit.lines) }
}

/** Runs the role `warm` to its end. */
export const warm = async (front: Front, env: Env = {}): Promise<WarmRun> =>
  ended(await startWarm(front, env))

function lastJson(lines: readonly string[]): WarmRun['report'] {
  try {
    return JSON.parse(lines.findLast((line) => line.trim()) ?? '') as WarmRun['report']
  } catch {
    return undefined
  }
}

/** Entries that were written, by key: when first by Redis's clock, and how often. From a script or not. */
export function writes(
  commands: Awaited<ReturnType<Monitor['commands']>>,
): Map<string, { at: number; times: number }> {
  const written = new Map<string, { at: number; times: number }>()
  for (const { at, args } of commands) {
    const [name = '', key = ''] = args
    // However many commands write the fields of an entry, one of them writes this field.
    if (!/^h(m?set|setnx|setex)$/i.test(name) || !args.includes('freshUntil')) continue
    const before = written.get(key.slice('entry:'.length))
    written.set(key.slice('entry:'.length), { at: before?.at ?? at, times: (before?.times ?? 0) + 1 })
  }
  return written
}
