// What every worker of a run needs, loaded while nobody waits for it.
import { commandHere } from './context.ts'
import './index.ts'
import { rehearse } from './rehearsal.ts'
import { prepareStandbys } from './role/standby.ts'
import './runner.ts'

// Nobody waits for them: a test that comes too early starts its roles itself.
void commandHere()
  ?.standbys()
  .then(async (plan) => {
    if (!plan) return
    prepareStandbys(plan)
    await rehearse().catch(() => {})
  })
