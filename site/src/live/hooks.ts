import { usePluginData } from '@docusaurus/useGlobalData'
import { useEffect, useSyncExternalStore } from 'react'
import type { Chapter, Part } from '../../plugins/labs.ts'
import { connection } from './connection.ts'
import { NOTHING, standing, type LiveState, type Standing } from './state.ts'

/** What the local server says, followed live. While the page is built and on a static host: nothing. */
export function useLive(): LiveState {
  return useSyncExternalStore(connection.subscribe, connection.state, () => NOTHING)
}

/** Follows one chapter's newest run as well. */
export function useChapterLive(slug: string): LiveState {
  useEffect(() => connection.watch(slug), [slug])
  return useLive()
}

export function useStanding(slug: string, step: string): Standing {
  return standing(useChapterLive(slug), slug, step)
}

/** The table of contents in the page's language. */
export function useParts(): Part[] {
  return (usePluginData('workbook') as { parts: Part[] }).parts
}

export function useChapter(slug: string | undefined): Chapter | undefined {
  return useParts()
    .flatMap((part) => part.chapters)
    .find((chapter) => chapter.slug === slug)
}
