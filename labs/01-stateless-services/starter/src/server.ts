import { serve } from '@hono/node-server'
import { app } from './app.ts'
import { PORT } from './config.ts'

// #region start
// TODO(scale-up): with PROCESSES=3, three processes serve on this port and share DB_POOL_MAX connections.
serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
// #endregion start

// #region stop
// TODO(shutdown): SIGTERM ends this process at once, in the middle of whatever it does.
// #endregion stop
