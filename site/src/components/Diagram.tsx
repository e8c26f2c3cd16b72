import useBaseUrl from '@docusaurus/useBaseUrl'
import styles from './Diagram.module.css'

interface Props {
  name: string
  alt: string
  caption?: string
  width: number
  height: number
}

/** A diagram, drawn beforehand in both modes. Its place is kept free, so nothing moves when it comes. */
export function Diagram({ name, alt, caption, width, height }: Props) {
  const light = useBaseUrl(`/diagrams/${name}-light.svg`)
  const dark = useBaseUrl(`/diagrams/${name}-dark.svg`)
  const size = { width, height, alt, loading: 'lazy' as const, decoding: 'async' as const }
  // Narrow screens scroll a wide diagram rather than make its letters unreadable.
  const style = { minWidth: `min(${width}px, ${Math.max(280, Math.round(width * 0.72))}px)` }
  return (
    <figure className={styles.figure}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a diagram that scrolls sideways must be reachable by keyboard */}
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={caption ?? alt}>
        <img {...size} src={light} className={styles.light} style={style} />
        <img {...size} src={dark} className={styles.dark} style={style} />
      </div>
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  )
}

/** While an author writes: the diagram's text, until `npm run site draw` has drawn it. */
export function UndrawnDiagram({ source }: { source: string }) {
  return (
    <figure className={styles.figure}>
      <pre>{source}</pre>
      <figcaption>Not drawn yet: npm run site draw</figcaption>
    </figure>
  )
}
