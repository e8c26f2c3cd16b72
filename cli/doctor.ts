import { parseArgs } from 'node:util'
import stringWidth from 'string-width'
import type { Language } from '#harness/text'
import { pad, paint, wrap } from '#grader/report/layout'
import { EXIT_STATUS } from '#grader/verdict'
import { lookAtDocker } from './doctor/docker.ts'
import type { Finding, Topic } from './doctor/finding.ts'
import { lookAtMachine } from './doctor/machine.ts'
import { DOCTOR } from './doctor/messages.ts'
import { lookAtNative } from './doctor/native.ts'
import { language } from './language.ts'
import { terminal, working, type Terminal } from './terminal.ts'

const STATUS = {
  ok: { mark: '✓', style: 'green' },
  warn: { mark: '!', style: 'yellow' },
  missing: { mark: '✗', style: 'red' },
} as const

/** What only servers on this machine need; with Docker nobody misses it. */
const NATIVE: Topic[] = ['postgres', 'redis', 'user', 'data']

/** `npm run doctor`: what this machine has, what is missing, and the one command that mends it. */
export async function doctor(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean', default: false }, lang: { type: 'string' } },
  })
  const lang = language(values.lang)
  const progress = working(DOCTOR.looking[lang])
  const [machine, docker, native] = await Promise.all([lookAtMachine(), lookAtDocker(), lookAtNative()])
  progress.done()
  const inDocker = usesDocker(docker)
  const findings = [...machine, ...docker, ...native.map((finding) => (inDocker ? lessen(finding) : finding))]
  const ready = findings.every(({ status }) => status !== 'missing')
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ ready, runtime: inDocker ? 'docker' : 'native', findings }, null, 2)}\n`,
    )
  } else {
    for (const line of render(findings, lang, terminal())) console.log(line)
    console.log(`\n${(ready ? DOCTOR.canRun(runtimeName(inDocker, lang)) : DOCTOR.cannotRun)[lang]}`)
  }
  return ready ? EXIT_STATUS.pass : EXIT_STATUS.unknown
}

function usesDocker(docker: Finding[]): boolean {
  if (process.env.LAB_RUNTIME) return process.env.LAB_RUNTIME === 'docker'
  // The images are looked at only where a daemon answers.
  return docker.some(({ topic }) => topic === 'images')
}

function runtimeName(inDocker: boolean, lang: Language): string {
  return (inDocker ? DOCTOR.docker : DOCTOR.native)[lang]
}

function lessen(finding: Finding): Finding {
  if (finding.status !== 'missing' || !NATIVE.includes(finding.topic)) return finding
  return {
    topic: finding.topic,
    status: 'ok',
    text: { en: DOCTOR.notNeeded(finding.text.en).en, ja: DOCTOR.notNeeded(finding.text.ja).ja },
  }
}

function render(findings: Finding[], lang: Language, layout: Terminal): string[] {
  const words = widest(Object.values(DOCTOR.status).map((word) => word[lang]))
  const names = widest(findings.map(({ topic }) => DOCTOR.names[topic][lang]))
  return findings.flatMap(({ topic, status, text, remedy }) => {
    const { mark, style } = STATUS[status]
    const left = paint(style, `${mark} ${pad(DOCTOR.status[status][lang], words)}`, layout)
    const indent = ' '.repeat(words + names + 6)
    const [first = '', ...more] = wrap(text[lang], layout.columns - indent.length)
    const help = remedy ? wrap(`→ ${remedy[lang]}`, layout.columns - indent.length) : []
    return [
      `${left}  ${pad(DOCTOR.names[topic][lang], names)}  ${first}`,
      ...[...more, ...help].map((line) => indent + line),
    ]
  })
}

function widest(texts: string[]): number {
  return Math.max(...texts.map((text) => stringWidth(text)))
}
