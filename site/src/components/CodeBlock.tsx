import { useRef } from 'react'
import { CopyButton } from './CopyButton.tsx'
import styles from './CodeBlock.module.css'

interface Props {
  language: string
  /** Coloured while the site was built. */
  html?: string
  /** A region of a real file. */
  source?: { html: string; file: string }
  title?: string
  label?: string
}

/** Code, coloured at build time, with the file that it was taken from. */
export function CodeBlock({ language, html, source, title, label }: Props) {
  const code = useRef<HTMLElement>(null)
  const heading = title ?? source?.file
  const terminal = language === 'term' || language === 'console'
  return (
    <figure className={styles.block} data-language={language}>
      {heading && (
        <figcaption className={styles.caption}>
          <span className={styles.file}>{heading}</span>
          {label && <span className={styles.label}>{label}</span>}
        </figcaption>
      )}
      <div className={styles.body}>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a block that scrolls sideways must be reachable by keyboard */}
        <pre className={styles.pre} tabIndex={0}>
          <code ref={code} dangerouslySetInnerHTML={{ __html: html ?? source?.html ?? '' }} />
        </pre>
        <CopyButton text={() => copied(code.current?.textContent ?? '', terminal)} />
      </div>
    </figure>
  )
}

/** From a terminal's text only what was typed is worth copying. */
function copied(text: string, terminal: boolean): string {
  const typed = text.split('\n').filter((line) => line.startsWith('$ '))
  return terminal && typed.length > 0 ? typed.map((line) => line.slice(2)).join('\n') : text
}
