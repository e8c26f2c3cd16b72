import { postgres, startRole, type StartedRole } from '#harness'

export async function startServer(): Promise<StartedRole> {
  const db = await postgres('pg').database()
  return startRole('server', { env: { DATABASE_URL: db.url('server') } })
}
