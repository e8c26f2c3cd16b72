import type { Event } from '#harness/timeline'
import type { TimelineEvent } from './verdict.ts'

/** Events of the harness as the verdict shows them: milliseconds since the run began. */
export function eventsAt(events: Event[], startedAt: number): TimelineEvent[] {
  return events.map((event) => ({
    ...event,
    at: Math.round((event.at - startedAt) * 10) / 10,
    port: undefined, // another one in every run; JSON leaves it out
  }))
}
