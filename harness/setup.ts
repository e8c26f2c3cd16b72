import { installHooks } from './test.ts'

// Vitest loads this before every test file of a run.
installHooks()
