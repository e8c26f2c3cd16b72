import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FeedEvent, Progress } from '../../checks/grader/verdict.ts'
import type { ServerEvent } from '../src/live/protocol.ts'
import { ask, at, follow, isType, LAB, post, startSite, told, useFolder } from './stage.ts'

useFolder()

/** A check that says what it was asked for and waits until it is told to end. */
const GATE = `
const { existsSync, writeFileSync } = require('node:fs')
const [, gate, chapter] = process.argv
writeFileSync(gate + '.' + chapter, '')
const timer = setInterval(() => existsSync(gate) && (clearInterval(timer), console.log('{}')), 5)
`

describe('what it tells', () => {
  const event = (run: string, more: object): FeedEvent =>
    ({ at: '', lab: 'dual-servers', chapter: LAB, run, subject: 'workspace', ...more }) as FeedEvent
  const feed = () => at('workspace/.runs/feed.jsonl')

  it('passes on what the grader says, line by line, whatever the pieces', async () => {
    await startSite()
    const stream = follow()
    await stream.next(isType('hello'))
    const line = `${JSON.stringify(event('1', { type: 'run-started' }))}\n`
    appendFileSync(feed(), line.slice(0, 20))
    appendFileSync(feed(), `${line.slice(20)}not json\n`)
    expect((await stream.next(isType('feed'))).event.run).toBe('1')
    // Begun anew: shorter than before.
    writeFileSync(feed(), `${JSON.stringify(event('2', { type: 'run-ended' }))}\n`)
    expect((await stream.next(isType('feed'))).event.run).toBe('2')
    stream.close()
  })

  it('follows progress and keeps what it knew when the file is damaged', async () => {
    await startSite()
    const stream = follow()
    await stream.next(isType('hello'))
    const progress: Progress = { version: 1, labs: { 'dual-servers': { hints: { split: 2 } } as never } }
    const file = at('workspace/progress.json')
    writeFileSync(file, JSON.stringify(progress))
    expect((await stream.next(isType('progress'))).progress).toEqual(progress)
    writeFileSync(file, '{"version":')
    expect(JSON.parse((await ask('/api/progress')).text)).toEqual(progress)
    stream.close()
  })

  it('gives the newest run on the learner’s own folder, with its logs', async () => {
    await startSite()
    const run = (name: string, subject: string) => {
      const dir = join(at('workspace/.runs'), LAB, name)
      mkdirSync(dir, { recursive: true })
      writeFileSync(
        join(dir, 'verdict.json'),
        JSON.stringify({ subject, chapter: LAB, status: 'pass', steps: [] }),
      )
      writeFileSync(join(dir, 'server-1.log'), `log of ${name}`)
    }
    run('2026-01-01T00-00-00.000', 'workspace')
    run('2026-01-02T00-00-00.000', 'workspace')
    run('2026-01-03T00-00-00.000', 'solution')
    writeFileSync(join(at('workspace/.runs'), LAB, 'latest'), '2026-01-03T00-00-00.000')
    expect(JSON.parse((await ask(`/api/labs/${LAB}/verdict`)).text)).toMatchObject({
      run: `.runs/${LAB}/2026-01-02T00-00-00.000`,
    })
    expect(JSON.parse((await ask(`/api/labs/${LAB}/logs`)).text)).toEqual(['server-1'])
    expect((await ask(`/api/labs/${LAB}/logs/server-1`)).text).toBe('log of 2026-01-02T00-00-00.000')
  })

  it('writes hints and surrender by the grader’s store', async () => {
    await startSite()
    expect((await post(`/api/labs/${LAB}/hints`, { step: 'split', opened: 2 })).status).toBe(200)
    expect((await post(`/api/labs/${LAB}/surrender`, {})).status).toBe(200)
    expect(told()).toEqual([['dual-servers', 'split', 2], ['dual-servers']])
  })
})

describe('checks from a page', () => {
  const gate = () => at('gate')

  it('run one at a time, a chapter once, in order', async () => {
    await startSite((chapter) => [process.execPath, '-e', GATE, gate(), chapter])
    const stream = follow()
    const first = JSON.parse((await post('/api/runs', { lab: LAB })).text) as { id: string }
    const again = JSON.parse((await post('/api/runs', { lab: LAB })).text) as { id: string }
    expect(again.id).toBe(first.id)
    await stream.next(
      (e): e is Extract<ServerEvent, { type: 'queue' }> =>
        e.type === 'queue' && e.queue.running?.id === first.id,
    )
    writeFileSync(gate(), '')
    const done = await stream.next(
      (e): e is Extract<ServerEvent, { type: 'queue' }> =>
        e.type === 'queue' && !e.queue.running && e.queue.waiting.length === 0,
    )
    expect(done.queue.problem).toBeUndefined()
    stream.close()
  })

  it('say why they could not be run', async () => {
    await startSite(() => [process.execPath, '-e', 'console.error("no lab here"); process.exit(2)'])
    const stream = follow()
    await post('/api/runs', { lab: LAB })
    const told = await stream.next(
      (e): e is Extract<ServerEvent, { type: 'queue' }> =>
        e.type === 'queue' && e.queue.problem !== undefined,
    )
    expect(told.queue.problem).toEqual({ chapter: LAB, message: 'no lab here' })
    stream.close()
  })
})
