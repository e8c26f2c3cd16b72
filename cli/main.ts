import type { Language } from '#harness/text'
import { report } from './errors.ts'
import { helpOf } from './help.ts'
import { language } from './language.ts'
import { end, endBy, guard } from './life.ts'
import { MESSAGES } from './messages.ts'
import { UsageError } from './usage.ts'

type Command = (args: string[]) => Promise<number | undefined | void>

/** Loaded when asked for: a command pays for what it uses. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  lab: async () => (await import('./lab.ts')).lab,
  doctor: async () => (await import('./doctor.ts')).doctor,
  check: async () => (await import('./check.ts')).check,
  start: async () => (await import('./start.ts')).start,
  bench: async () => (await import('./bench.ts')).bench,
  author: async () => (await import('./author.ts')).author,
  flake: async () => (await import('./flake.ts')).flake,
  site: async () => (await import('./site.ts')).site,
  test: async () => (await import('./test.ts')).test,
}

/** Flags of ours that npm takes for its own when the `--` before them is forgotten. */
const SWALLOWED = ['subject', 'junit', 'seed', 'steps', 'surrender', 'lang']

const [name = '', ...args] = process.argv.slice(2)
let lang: Language = language()
const told = (error: unknown): number => report(error, name, lang)
guard(told)

try {
  const status = await run()
  // `npm start` goes on after it has started; its own end is its own affair.
  if (typeof status === 'number') await end(status)
} catch (error) {
  await endBy(error, told)
}

async function run(): Promise<number | undefined | void> {
  lang = language(askedLanguage())
  if (args.includes('--verbose')) process.env.WORKBOOK_VERBOSE = '1'
  const load = COMMANDS[name]
  if (!load) throw new UsageError(MESSAGES.unknownCommand(name, Object.keys(COMMANDS)))
  const own = args.filter((arg) => arg !== '--verbose')
  if (own.includes('--help') || own.includes('-h')) {
    console.log(helpOf(name, lang))
    return 0
  }
  const flag = SWALLOWED.find((one) => process.env[`npm_config_${one}`] !== undefined)
  if (flag && !own.some((arg) => arg.startsWith(`--${flag}`)))
    throw new UsageError(MESSAGES.swallowed(flag, name))
  return (await load())(own)
}

/** Before any flag is understood: what is said about them is said in the language that was asked for. */
function askedLanguage(): string | undefined {
  const at = args.findIndex((arg) => arg === '--lang' || arg.startsWith('--lang='))
  return at < 0 ? undefined : (args[at]!.split('=')[1] ?? args[at + 1] ?? '')
}
