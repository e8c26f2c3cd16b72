// What every worker of a run needs, loaded while nobody waits for it.
import { commandHere, isAhead } from './context.ts'
import './index.ts'
import { rehearsal } from './rehearsal.ts'
import { prepareStandbys } from './role/standby.ts'
import './runner.ts'

if (isAhead()) rehearsal.begin()
// Nobody waits for them: a test that comes too early starts its roles itself.
void commandHere()
  ?.standbys()
  .then((plan) => plan && prepareStandbys(plan))
