// What every worker of a run needs, loaded while nobody waits for it.
import 'ioredis'
import 'pg'
import './context.ts'
import './database.ts'
import './http.ts'
import './link/index.ts'
import './redis.ts'
import './role/role.ts'
