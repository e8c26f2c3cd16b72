import { eventually, say, test, when } from '#harness'
import { published, replaced } from './looks.ts'
import { insert, rowsOf, streams } from './rows.ts'
import { oneCandidate } from './whole.ts'

// #region follow
test(say('the other replica moves, too', 'もう一台のレプリカも移る'), async ({ random }) => {
  const cluster = await oneCandidate(random)
  const { primary, nodes } = cluster
  when('the primary is killed', 'プライマリを強制終了する')
  await primary.kill({ forGood: true })
  const next = await replaced(cluster)
  const other = nodes.find((node) => node !== primary && node !== next)!
  await streams(other, next)
  await insert(next, 'after')
  await eventually(
    say(`a new row on ${other.name}`, `${other.name}に新しい行がある`),
    () => rowsOf(other, 'after'),
    1,
  )
  await published(cluster, next, [other])
})
// #endregion follow
