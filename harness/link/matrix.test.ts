import { expect, test } from 'vitest'
import { matrix } from './matrix.ts'
import { dial, linkTo, scripted, until } from './testing.ts'

async function three() {
  const server = await scripted((chunk, side) => side.write(chunk))
  const links = await matrix(
    ['a', 'b'],
    ['a', 'b', 'q'].map((name) => ({ name })),
    (from, to) => linkTo(server.port, 'tcp', { name: `${from} → ${to.name}` }),
  )
  return {
    links,
    async reaches(from: string, to: string) {
      const client = await dial(links.link(from, to).port)
      client.write('echo')
      await until(() => client.received === 'echo' || client.closed)
      client.socket.destroy()
      return client.received === 'echo'
    },
    async [Symbol.asyncDispose]() {
      await links[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('there is a link from each to each but itself', async () => {
  await using m = await three()
  expect(m.links.all.map(({ name }) => name)).toEqual(['a → b', 'a → q', 'b → a', 'b → q'])
  expect(new Set(m.links.all.map(({ port }) => port)).size).toBe(4)
  expect([...m.links.from('a').keys()]).toEqual(['b', 'q'])
  expect(() => m.links.link('a', 'a')).toThrow('no link a → a; there are a → b')
})

test('isolate parts some from the rest, or from those named, and heal joins them again', async () => {
  await using m = await three()
  m.links.isolate('a')
  expect(
    await Promise.all([m.reaches('a', 'b'), m.reaches('a', 'q'), m.reaches('b', 'a'), m.reaches('b', 'q')]),
  ).toEqual([false, false, false, true])
  await m.links.heal()
  expect(m.links.isolate(['a'], { from: ['q'], by: 'refuse' }).map(({ name }) => name)).toEqual(['a → q'])
  expect(await Promise.all([m.reaches('a', 'b'), m.reaches('a', 'q'), m.reaches('b', 'q')])).toEqual([
    true,
    false,
    true,
  ])
  await m.links.heal()
  expect(await m.reaches('a', 'q')).toBe(true)
  expect(() => m.links.isolate('nobody')).toThrow('nothing to isolate')
})
