import type { Layout } from '#grader/report/layout'

/** What can be done with an output. */
export interface Terminal extends Layout {
  /** Lines may be rewritten. Not so in a file, a pipe, a dumb terminal, or for those who asked for none with NO_COLOR. */
  rewrites: boolean
  rows: number
}

const NARROW = 40
const COMFORTABLE = 100

/** Looks anew at each call: windows change their size. */
export function terminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  const { NO_COLOR, FORCE_COLOR, TERM, COLUMNS } = process.env
  const rewrites = stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'
  const columns = stream.isTTY ? stream.columns || 80 : Number(COLUMNS) || 80
  return {
    rewrites,
    color: rewrites || (!NO_COLOR && FORCE_COLOR !== undefined && FORCE_COLOR !== '0'),
    columns: Math.min(COMFORTABLE, Math.max(NARROW, columns)),
    rows: stream.rows || 24,
  }
}

export interface Working {
  /** What is being done now. */
  now(text: string): void
  /** A line that stays, above it. */
  line(text: string, stream?: NodeJS.WriteStream): void
  done(): void
}

const QUIET_MS = 1000
const PLAIN_MS = 10_000

/** One line on stderr that says what is being done, and after a second for how long already. */
export function working(text: string): Working {
  const begun = Date.now()
  const { rewrites } = terminal(process.stderr)
  let label = text
  const show = (): void => {
    const seconds = Math.round((Date.now() - begun) / 1000)
    const time = seconds > 0 ? ` … ${seconds} s` : ''
    if (rewrites) process.stderr.write(`\r\u001b[2K${label}${time}`)
    else process.stderr.write(`${label}${time}\n`)
  }
  const clear = (): void => void (rewrites && process.stderr.write('\r\u001b[2K'))
  show()
  const timer = setInterval(show, rewrites ? QUIET_MS : PLAIN_MS)
  timer.unref()
  return {
    now(next) {
      if (next === label) return
      label = next
      show()
    },
    line(line, stream = process.stderr) {
      clear()
      stream.write(`${line}\n`)
      if (rewrites) show()
    },
    done() {
      clearInterval(timer)
      clear()
    },
  }
}
