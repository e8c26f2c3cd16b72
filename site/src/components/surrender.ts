import { useEffect, useState } from 'react'
import { connection } from '../live/connection.ts'
import { useLive } from '../live/hooks.ts'

/** Whether the reader has given up on a step: kept in this browser, and told to the local server, which keeps progress. */
export function useSurrender(chapter: string, step: string): { surrendered: boolean; surrender: () => void } {
  const key = `surrender:${chapter}:${step}`
  const { progress, mode } = useLive()
  const [here, setHere] = useState(false)
  useEffect(() => setHere(localStorage.getItem(key) !== null), [key])
  const surrender = () => {
    localStorage.setItem(key, new Date().toISOString())
    setHere(true)
    if (mode === 'live') void connection.ask(`/api/labs/${chapter}/surrender`, { step })
  }
  return { surrendered: here || progress.labs[chapter.slice(3)]?.surrendered !== undefined, surrender }
}
