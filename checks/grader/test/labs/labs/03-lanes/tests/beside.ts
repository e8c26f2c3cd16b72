import { expect, postgres, same, startRole, test } from '#harness'
import { leave, read } from './marks.ts'

/** The test of a step that passes only while the other step runs. */
export function beside(own: string, other: string): void {
  test(same(`it has servers of its own while ${other} runs`), async () => {
    const { port } = postgres('pg')
    const role = await startRole('server')
    leave(own, `${port} ${role.port}`)
    const theirs = (await read(other)).split(' ')
    expect(theirs.includes(String(port)), same('the same Postgres')).toBe(false)
    expect(theirs.includes(String(role.port)), same('the same port')).toBe(false)
  })
}
