import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  watch,
  type FSWatcher,
} from 'node:fs'
import { dirname } from 'node:path'
import type { FeedEvent, Progress } from '../../checks/grader/verdict.ts'

/** Some file systems report no events; then a look ten times a second finds the change. */
const LOOK_MS = 100

/** Calls back whenever the file may have changed. */
function onChange(file: string, changed: () => void): () => void {
  mkdirSync(dirname(file), { recursive: true })
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(file), changed)
    // A watcher that breaks leaves the looking.
    watcher.on('error', () => watcher?.close())
  } catch {
    // No events here: the looking is enough.
  }
  let seen = stamp(file)
  const timer = setInterval(() => {
    const now = stamp(file)
    if (now === seen) return
    seen = now
    changed()
  }, LOOK_MS)
  return () => {
    watcher?.close()
    clearInterval(timer)
  }
}

function stamp(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats ? `${stats.mtimeMs}:${stats.size}:${stats.ino}` : ''
}

/** Follows the grader's feed from its end: complete lines only, and from the start again when it was cut. */
export function followFeed(file: string, receive: (event: FeedEvent) => void): () => void {
  let offset = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  let rest = ''
  const read = () => {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (size < offset) [offset, rest] = [0, '']
    if (size === offset) return
    const bytes = readFrom(file, offset, size - offset)
    offset += bytes.length
    const lines = (rest + bytes.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = parse<FeedEvent>(line)
      if (event) receive(event)
    }
  }
  return onChange(file, read)
}

function readFrom(file: string, offset: number, length: number): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(length)
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, offset))
  } finally {
    closeSync(descriptor)
  }
}

const NO_PROGRESS: Progress = { version: 1, labs: {} }

/** Follows the learner's progress. A file that can't be read leaves what was known. */
export function followProgress(
  file: string,
  receive: (progress: Progress) => void,
): { now(): Progress; stop(): void } {
  let known = readJson<Progress>(file) ?? NO_PROGRESS
  let last = JSON.stringify(known)
  const stop = onChange(file, () => {
    const next = readJson<Progress>(file)
    if (!next || JSON.stringify(next) === last) return
    known = next
    last = JSON.stringify(next)
    receive(next)
  })
  return { now: () => known, stop }
}

/** A JSON file's content, or nothing. */
export function readJson<T>(file: string): T | undefined {
  try {
    return parse<T>(readFileSync(file, 'utf8'))
  } catch {
    // It isn't there (yet).
    return undefined
  }
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    // A damaged line or file is left out: the grader sets damaged files aside itself.
    return undefined
  }
}
