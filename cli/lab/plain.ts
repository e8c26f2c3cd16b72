import { renderStep } from '#grader/report/text'
import { terminal } from '../terminal.ts'
import type { Change, Display, LabState } from './state.ts'
import { renderFirstFailure, renderHead, renderKeys, renderStatus, renderView } from './views.ts'

/** Line after line, nothing rewritten: for pipes and files, for screen readers, for those who set NO_COLOR. */
export function plain(): Display {
  let begun = false
  const trace = process.env.WORKBOOK_TRACE === 'verdicts'
  return {
    show(state, change) {
      const layout = terminal()
      // The runtime was said when it was found.
      const lines = begun ? [] : ['', ...renderHead({ ...state, runtime: '' }, layout)]
      begun = true
      if (trace) lines.push(...traced(change))
      lines.push(...linesOf(state, change))
      if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
    },
    close() {},
  }
}

function linesOf(state: LabState, change: Change): string[] {
  const layout = terminal()
  if (change.type === 'phase') return state.phase.kind === 'idle' ? [] : ['', ...renderStatus(state, layout)]
  if (change.type === 'step')
    return [renderStep(change.step, { steps: change.step ? stepsOf(state) : [] }, state.lang, layout)]
  if (change.type === 'message') return state.message ? [state.message] : []
  if (change.type === 'view') return state.view === 'main' ? [] : ['', ...renderView(state, layout)]
  if (change.type !== 'ended') return []
  const failure = renderFirstFailure(state, layout, Number.POSITIVE_INFINITY)
  const keys = process.stdin.isTTY ? ['', ...renderKeys(state, layout)] : []
  return [...(failure.length > 0 ? ['', ...failure] : []), '', ...renderStatus(state, layout), ...keys]
}

function stepsOf({ rows }: LabState): Parameters<typeof renderStep>[1]['steps'] {
  return rows as Parameters<typeof renderStep>[1]['steps']
}

/** For `npm run bench loop`: a verdict in one word, at the moment at which it is shown, and what the test itself took. */
function traced(change: Change): string[] {
  if (change.type === 'test') return [`test ${change.step} ${change.test.outcome} ${change.test.durationMs}`]
  return change.type === 'step' ? [`step ${change.step.id} ${change.step.outcome}`] : []
}
