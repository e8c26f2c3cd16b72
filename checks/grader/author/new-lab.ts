import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '#harness/paths'

/** Makes the folders of a new lab, each file with the one thing that is needed to go on. */
export function newLab(slug: string): number {
  if (!/^\d\d-[a-z\d]+(-[a-z\d]+)*$/.test(slug)) {
    console.error(`"${slug}" is no name for a lab. Give number and slug: npm run author new 09-sharding`)
    return 2
  }
  if (existsSync(join(ROOT, 'labs', slug))) {
    console.error(`labs/${slug} is there already.`)
    return 2
  }
  for (const [path, content] of Object.entries(files(slug))) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), content)
    console.log(`made  ${path}`)
  }
  console.log(`Next: write the red tests of the first step, then: npm run author ${slug.slice(0, 2)}`)
  return 0
}

function files(slug: string): Record<string, string> {
  return {
    [`labs/${slug}/lab.ts`]: MANIFEST,
    [`labs/${slug}/starter/src/server.ts`]: SERVER,
    [`labs/${slug}/tests/first.test.ts`]: TEST('The red test of the step.'),
    [`solutions/${slug}/src/server.ts`]: SERVER.replace('// TODO(first): answer\n', ''),
    [`checks/${slug}/first.check.ts`]: TEST('The hidden check of the step.'),
  }
}

const MANIFEST = `import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

export default defineLab({
  draft: true,
  title: say('', ''),
  summary: say('', ''),
  roles: ['server'],
  topology: { pg: { kind: 'postgres' } },
  budget: 4000,
  steps: [
    {
      id: 'first',
      title: say('', ''),
      points: 100,
      hints: [say('', ''), say('', ''), say('', '')],
    },
  ],
})
`

const SERVER = `import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.get('/health', (c) => c.json({ status: 'ok' }))
// TODO(first): answer

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT) })
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

const TEST = (
  comment: string,
): string => `import { beforeAll, expect, say, startRole, test, when, type StartedRole } from '#harness'

let server: StartedRole

beforeAll(async () => {
  server = await startRole('server')
})

// ${comment}
test(say('', ''), async () => {
  when('', '')
  expect(await server.get('/')).toAnswer(200)
})
`
