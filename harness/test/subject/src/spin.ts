import { writeSync } from 'node:fs'

writeSync(1, 'running\n')
for (;;);
