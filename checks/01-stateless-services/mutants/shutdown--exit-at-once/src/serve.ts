import { serve } from '@hono/node-server'
import { app } from './app.ts'
import { PORT } from './config.ts'

// #region stop
/** Serves until SIGTERM. */
export function serveRequests(): void {
  serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
  process.on('SIGTERM', () => process.exit(0))
}
// #endregion stop
