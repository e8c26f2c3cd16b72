import { say, test } from '#harness'
import { Unavailable } from '#harness/unavailable'

test(say('this machine lacks something', 'このマシンに足りないものがある'), async () => {
  throw new Unavailable({
    what: say('There is no telescope.', '望遠鏡がありません。'),
    why: say('Nobody bought one.', '誰も買っていません。'),
    remedy: say('Buy one.', '買ってください。'),
  })
})
