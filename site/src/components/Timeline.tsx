import type { TimelineEvent } from '../../../checks/grader/verdict.ts'
import { useSay } from '../text.ts'
import styles from './Timeline.module.css'

/** Parts in the order in which they first spoke. */
export function lanes(events: readonly TimelineEvent[]): string[] {
  return [...new Set(events.flatMap((e) => [e.from, e.to]))].filter(Boolean)
}

/**
 * What crossed between the parts, as a sequence diagram. Every arrow is a list item with its whole sentence,
 * so a screen reader gets the same story as the eye.
 */
export function Timeline({ events }: { events: readonly TimelineEvent[] }) {
  const t = useSay()
  const names = lanes(events)
  if (events.length === 0) return null
  const columns = { gridTemplateColumns: `4.2rem repeat(${names.length}, minmax(7.5rem, 1fr))` }
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways on a phone
    <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('What happened, in order', '起きたこと（時刻順）')}>
      <div className={styles.head} style={columns} aria-hidden="true">
        <span>ms</span>
        {names.map((name) => (
          <span key={name} className={styles.lane}>
            {name}
          </span>
        ))}
      </div>
      <ol className={styles.rows}>
        {events.map((event, i) => (
          <Row key={i} event={event} names={names} columns={columns} />
        ))}
      </ol>
    </div>
  )
}

function Row({ event, names, columns }: { event: TimelineEvent; names: string[]; columns: { gridTemplateColumns: string } }) {
  const t = useSay()
  const from = names.indexOf(event.from)
  const to = names.indexOf(event.to)
  const [left, right] = [Math.min(from, to), Math.max(from, to)]
  const own = from === to || from === -1 || to === -1
  // Column 1 is the time; an arrow reaches from the middle of one lane to the middle of another.
  const place = own ? { gridColumn: `${Math.max(from, to) + 2}` } : { gridColumn: `${left + 2} / ${right + 3}`, '--lanes': right - left + 1 }
  return (
    <li className={styles.row} style={columns} data-failed={event.failed || undefined}>
      <span className={styles.time}>{Math.round(event.at)}</span>
      {names.map((name, i) => (
        <span key={name} className={styles.life} style={{ gridColumn: i + 2 }} aria-hidden="true" />
      ))}
      <span className={styles.event} style={place as React.CSSProperties} data-kind={event.kind} data-direction={own ? 'own' : to > from ? 'right' : 'left'}>
        <span className="sr-only">{own ? `${event.from}: ` : t(`${event.from} to ${event.to}: `, `${event.from}から${event.to}へ：`)}</span>
        <span className={styles.text}>{event.text}</span>
        {event.failed && <span className="sr-only">{t(' (failed)', '（失敗）')}</span>}
        {!own && <span className={styles.arrow} aria-hidden="true" />}
      </span>
    </li>
  )
}
