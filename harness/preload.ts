// What every worker of a run needs, loaded while nobody waits for it.
import 'ioredis'
import 'pg'
import { commandHere } from './context.ts'
import './database.ts'
import './http.ts'
import './link/index.ts'
import './redis.ts'
import './role/role.ts'
import { prepareStandbys } from './role/standby.ts'

// Nobody waits for them: a test that comes too early starts its roles itself.
void commandHere()
  ?.standbys()
  .then((plan) => plan && prepareStandbys(plan))
