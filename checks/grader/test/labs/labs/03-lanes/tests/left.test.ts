import { beside } from './beside.ts'

beside('left', 'right')
