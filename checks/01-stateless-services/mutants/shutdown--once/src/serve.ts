import { serve } from '@hono/node-server'
import { app, stopKeepingAlive } from './app.ts'
import { PORT, SHUTDOWN_MS } from './config.ts'
import { closeStores } from './stores.ts'

// #region stop
/** Serves until SIGTERM; then finishes what is in progress, and exits. */
export function serveRequests(): void {
  const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

  process.once('SIGTERM', () => {
    stopKeepingAlive()
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
    // No new connections; idle ones are closed now, the others after their answer.
    server.close(() => void closeStores().then(() => process.exit(0)))
  })
}
// #endregion stop
