import { defineLab } from '#harness/lab'
import { say } from '#harness/text'

const hint = say('What does a client see?', 'クライアントには何が見えますか。')

/** The smallest lab: what the grader does with a subject, and not what a chapter teaches. */
export default defineLab({
  title: say('Greetings', '挨拶'),
  summary: say('A service that greets and counts.', '挨拶して数えるサービスです。'),
  roles: ['server'],
  topology: { pg: { kind: 'postgres' } },
  budget: 2000,
  steps: [
    {
      id: 'greet',
      title: say('Greet everybody', '全員に挨拶する'),
      points: 10,
      hints: [hint, hint, hint],
    },
    {
      id: 'stop',
      title: say('Stop when asked', '言われたら止まる'),
      points: 10,
      hints: [hint, hint, hint],
    },
  ],
})
