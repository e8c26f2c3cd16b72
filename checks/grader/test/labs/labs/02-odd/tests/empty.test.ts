import { say, test } from '#harness'

test(say('nothing is asserted', '何も検証しない'), async () => {})
