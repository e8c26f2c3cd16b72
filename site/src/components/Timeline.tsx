import { useState } from 'react'
import type { TimelineEvent } from '../../../checks/grader/verdict.ts'
import { useSay } from '../text.ts'
import styles from './Timeline.module.css'

/** What is shown before the reader asks for more: the end of the story, where it goes wrong. */
const SHOWN = 14

/** Parts in the order in which they first spoke. */
export function lanes(events: readonly TimelineEvent[]): string[] {
  const speaking = events.filter((event) => event.kind !== 'note')
  return [...new Set(speaking.flatMap((event) => [event.from, event.to]))].filter(Boolean)
}

/**
 * What crossed between the parts, as a sequence diagram. Every arrow is a list item with its whole sentence, so a
 * screen reader gets the same story as the eye.
 */
export function Timeline({ events }: { events: readonly TimelineEvent[] }) {
  const t = useSay()
  const [all, setAll] = useState(false)
  const shown = all ? events : events.slice(-SHOWN)
  const names = lanes(shown)
  const begin = shown[0]?.at ?? 0
  const columns = { gridTemplateColumns: `3.4rem repeat(${names.length}, minmax(6.6rem, 1fr))` }
  if (events.length === 0) return null
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways on a phone */}
      <div
        className={styles.scroll}
        tabIndex={0}
        role="group"
        aria-label={t('What happened, in order', '起きたこと（時刻順）')}
      >
        <div className={styles.head} style={columns} aria-hidden="true">
          <span>ms</span>
          {names.map((name) => (
            <span key={name} className={styles.lane}>
              {name}
            </span>
          ))}
        </div>
        <ol className={styles.rows}>
          {shown.map((event, i) => (
            <Row key={i} event={event} at={event.at - begin} names={names} columns={columns} />
          ))}
        </ol>
      </div>
      {events.length > SHOWN && (
        <button type="button" className="button-plain" onClick={() => setAll(!all)}>
          {all
            ? t('Show the end only', '最後だけを表示')
            : t(`Show all ${events.length}`, `${events.length}件すべて表示`)}
        </button>
      )}
    </>
  )
}

interface RowProps {
  event: TimelineEvent
  at: number
  names: string[]
  columns: { gridTemplateColumns: string }
}

function Row({ event, at, names, columns }: RowProps) {
  const t = useSay()
  const from = names.indexOf(event.from)
  const to = names.indexOf(event.to)
  const own = from === to || from === -1 || to === -1
  return (
    <li className={styles.row} style={columns} data-failed={event.failed || undefined} data-kind={event.kind}>
      <span className={styles.time}>{Math.round(at)}</span>
      {names.map((name, i) => (
        <span key={name} className={styles.life} style={{ gridColumn: i + 2 }} aria-hidden="true" />
      ))}
      <span
        className={styles.event}
        style={place(event, from, to)}
        data-direction={own ? 'own' : to > from ? 'right' : 'left'}
        title={event.text}
      >
        <span className="sr-only">
          {own ? `${event.from}: ` : t(`${event.from} to ${event.to}: `, `${event.from}から${event.to}へ：`)}
        </span>
        <span className={styles.text}>{event.text}</span>
        {event.failed && <span className="sr-only">{t(' (failed)', '（失敗）')}</span>}
        {!own && <span className={styles.arrow} aria-hidden="true" />}
      </span>
    </li>
  )
}

/** Column 1 is the time; an arrow reaches from the middle of one lane to the middle of another; a note lies across all. */
function place({ kind }: TimelineEvent, from: number, to: number): React.CSSProperties {
  if (kind === 'note') return { gridColumn: '2 / -1' }
  if (from === to || from === -1 || to === -1) return { gridColumn: Math.max(from, to) + 2 }
  const [left, right] = [Math.min(from, to), Math.max(from, to)]
  return { gridColumn: `${left + 2} / ${right + 3}`, '--lanes': right - left + 1 } as React.CSSProperties
}
