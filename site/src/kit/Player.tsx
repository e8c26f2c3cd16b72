import { useEffect, useRef, useState } from 'react'
import { useSay } from '../text.ts'
import styles from './kit.module.css'

export interface Clock {
  /** Milliseconds of simulated time. */
  now: number
  playing: boolean
  play: () => void
  pause: () => void
  step: () => void
  reset: () => void
}

/**
 * Simulated time for simulations that move: `tick` is one step. It stands still until the reader starts it, stops when
 * the tab is hidden, and never starts by itself.
 */
export function useClock(tickMs: number, speed = 1): Clock {
  const [now, setNow] = useState(0)
  const [playing, setPlaying] = useState(false)
  const last = useRef(0)
  useEffect(() => {
    if (!playing) return undefined
    last.current = performance.now()
    let frame = 0
    const loop = (at: number) => {
      // A tab that was hidden must not catch up in one leap.
      const passed = Math.min(at - last.current, 100) * speed
      last.current = at
      setNow((n) => n + passed)
      frame = requestAnimationFrame(loop)
    }
    frame = requestAnimationFrame(loop)
    return () => cancelAnimationFrame(frame)
  }, [playing, speed])
  return {
    now: Math.floor(now / tickMs) * tickMs,
    playing,
    play: () => setPlaying(true),
    pause: () => setPlaying(false),
    step: () => setNow((n) => Math.floor(n / tickMs) * tickMs + tickMs),
    reset: () => {
      setPlaying(false)
      setNow(0)
    },
  }
}

/** Play, step, start again. With reduced motion the reader steps; nothing runs. */
export function Player({ clock }: { clock: Clock }) {
  const t = useSay()
  const still = useReducedMotion()
  return (
    <div className={styles.player} role="group" aria-label={t('Time', '時間')}>
      {!still && (
        <button type="button" className="button-strong" onClick={clock.playing ? clock.pause : clock.play}>
          {clock.playing ? t('Pause', '一時停止') : t('Play', '再生')}
        </button>
      )}
      <button type="button" className="button-plain" onClick={clock.step}>
        {t('One step', '1歩進める')}
      </button>
      <button type="button" className="button-plain" onClick={clock.reset}>
        {t('Start again', '最初から')}
      </button>
      <span className={styles.time}>{(clock.now / 1000).toFixed(1)} s</span>
    </div>
  )
}

/** The reader's wish for stillness, followed while the page is open. */
export function useReducedMotion(): boolean {
  const [still, setStill] = useState(false)
  useEffect(() => {
    const query = matchMedia('(prefers-reduced-motion: reduce)')
    const follow = () => setStill(query.matches)
    follow()
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [])
  return still
}
