import { expect, postgres, same, startRole, test } from '#harness'
import { leave, read } from './marks.ts'

test(same('it has servers of its own while left runs'), async () => {
  const { port } = postgres('pg')
  const role = await startRole('server')
  leave('right', `${port} ${role.port}`)
  const other = (await read('left')).split(' ')
  expect(other.includes(String(port)), same('the same Postgres')).toBe(false)
  expect(other.includes(String(role.port)), same('the same port')).toBe(false)
})
