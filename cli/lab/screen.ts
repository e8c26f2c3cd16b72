import { terminal } from '../terminal.ts'
import { LAB } from './messages.ts'
import type { Display, LabState } from './state.ts'
import { renderFirstFailure, renderHead, renderKeys, renderRows, renderStatus, renderView } from './views.ts'

const HIDE = '\u001b[?25l'
const SHOW = '\u001b[?25h'
const HOME = '\u001b[H'
const CLEAR = '\u001b[2J\u001b[3J\u001b[H'
const REST_OF_LINE = '\u001b[K'
const REST_OF_SCREEN = '\u001b[J'
/** Terminals that know it draw all of a page at once; others take no notice. */
const BEGIN = '\u001b[?2026h'
const END = '\u001b[?2026l'

/** One page that is drawn anew at each change, for a terminal that a person sits at. */
export function screen(): Display {
  let last: LabState | undefined
  let tall = true
  const draw = (): void => {
    if (!last) return
    const { rows } = terminal()
    const lines = renderPage(last)
    const body = lines.map((line) => line + REST_OF_LINE).join('\n')
    // What is higher than the window scrolls: the page before can't be written over, it has to go.
    const start = tall || lines.length >= rows ? CLEAR : HOME
    tall = lines.length >= rows
    process.stdout.write(`${BEGIN}${HIDE}${start}${body}${REST_OF_SCREEN}${END}`)
  }
  const restore = (): void => void process.stdout.write(`${SHOW}\n`)
  process.stdout.on('resize', draw)
  process.once('exit', restore)
  return {
    show(state) {
      last = state
      draw()
    },
    close() {
      process.stdout.off('resize', draw)
      process.off('exit', restore)
      last = undefined
      restore()
    },
  }
}

/** Everything that stands on the page, from the title to the keys. */
export function renderPage(state: LabState, layout = terminal()): string[] {
  if (state.view !== 'main') {
    const lines = renderView(state, layout)
    return state.view === 'give-up' ? lines : [...lines, '', LAB.back[state.lang]]
  }
  const top = [
    ...renderHead(state, layout),
    '',
    ...renderRows(state, layout),
    '',
    ...renderStatus(state, layout),
  ]
  const bottom = [...(state.message ? [state.message] : []), ...renderKeys(state, layout)]
  const room = layout.rows - top.length - bottom.length - 2
  const failure = renderFirstFailure(state, layout, room)
  return [...top, '', ...(failure.length > 0 ? [...failure, ''] : []), ...bottom]
}
