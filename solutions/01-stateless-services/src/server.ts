import cluster from 'node:cluster'
import { PROCESSES } from './config.ts'

// #region start
// The first of several processes serves nobody and opens no store: it starts the others and looks after them.
if (PROCESSES > 1 && cluster.isPrimary) (await import('./workers.ts')).startWorkers()
else (await import('./serve.ts')).serveRequests()
// #endregion start
