import { lazy, Suspense, useEffect, useRef, useState, type ComponentType } from 'react'
import { useSay } from '../text.ts'
import styles from './Simulation.module.css'

interface Props {
  /** Folder under `site/src/simulations/`. */
  name: string
  /** Heights that it needs, in pixels, on a phone and on a wide screen: its place is kept free. */
  narrow: number
  wide: number
}

const loaded = new Map<string, ComponentType>()

function component(name: string): ComponentType {
  // Every folder under simulations/ becomes a file of its own, downloaded when it is about to be seen.
  const load = () => import(`../simulations/${name}/index.tsx`) as Promise<{ default: ComponentType }>
  const known = loaded.get(name) ?? lazy(load)
  loaded.set(name, known)
  return known
}

/** A simulation's place on the page. */
export function Simulation({ name, narrow, wide }: Props) {
  const t = useSay()
  const place = useRef<HTMLDivElement>(null)
  const [near, setNear] = useState(false)
  useEffect(() => {
    if (!place.current) return undefined
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setNear(true), {
      rootMargin: '600px',
    })
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  const Body = component(name)
  const style = { '--narrow': `${narrow}px`, '--wide': `${wide}px` } as React.CSSProperties
  const waiting = (
    <p className={styles.waiting}>
      {t('The simulation comes when you reach it.', 'ここまで読み進めるとシミュレーションが現れます。')}
    </p>
  )
  return (
    <div ref={place} className={styles.place} style={style} data-simulation={name} data-pagefind-ignore>
      <div className={styles.inner}>
        {near ? (
          <Suspense fallback={waiting}>
            <Body />
          </Suspense>
        ) : (
          waiting
        )}
      </div>
    </div>
  )
}
