import { beside } from './beside.ts'

beside('right', 'left')
