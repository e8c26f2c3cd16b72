import { useEffect, useRef, useState } from 'react'
import { useHistory } from '@docusaurus/router'
import useDocusaurusContext from '@docusaurus/useDocusaurusContext'
import { search, type Hit } from './pagefind.ts'
import { useSay } from '../../text.ts'
import styles from './styles.module.css'

/** Search over the pages of this language: the index is a part of the site, nothing leaves it. */
export default function SearchBar() {
  const t = useSay()
  const dialog = useRef<HTMLDialogElement>(null)
  const open = () => dialog.current?.showModal()

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest('input, textarea, select, [contenteditable]')
      const wanted = (event.key === 'k' && (event.ctrlKey || event.metaKey)) || (event.key === '/' && !typing)
      if (!wanted) return
      event.preventDefault()
      open()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])

  return (
    <>
      {/* Named here, because narrow windows show only the glass. */}
      <button
        type="button"
        className={styles.button}
        onClick={open}
        aria-label={t('Search', '検索')}
        aria-keyshortcuts="/ Control+K"
      >
        <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
          <circle cx="7" cy="7" r="4.6" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <path d="m10.5 10.5 4 4" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
        </svg>
        <span className={styles.word}>{t('Search', '検索')}</span>
        <kbd aria-hidden="true">/</kbd>
      </button>
      <dialog
        ref={dialog}
        className={styles.dialog}
        aria-label={t('Search', '検索')}
        onClick={(e) => e.target === dialog.current && dialog.current.close()}
      >
        <Search close={() => dialog.current?.close()} />
      </dialog>
    </>
  )
}

function Search({ close }: { close: () => void }) {
  const t = useSay()
  const history = useHistory()
  const { siteConfig, i18n } = useDocusaurusContext()
  const root = siteConfig.baseUrl.replace(new RegExp(`${i18n.currentLocale}/$`), '')
  const [query, setQuery] = useState('')
  const [hits, setHits] = useState<Hit[] | 'unavailable'>([])

  useEffect(() => {
    let current = true
    void search(root, query).then(
      (found) => current && found && setHits(found),
      () => current && setHits('unavailable'),
    )
    return () => {
      current = false
    }
  }, [root, query])

  const go = (event: React.MouseEvent, url: string) => {
    if (event.metaKey || event.ctrlKey) return
    event.preventDefault()
    close()
    history.push(url)
  }
  return (
    <div className={styles.search} onKeyDown={moveByArrows}>
      <input
        type="search"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        placeholder={t('Search the workbook', 'ワークブックを検索')}
        aria-label={t('Search the workbook', 'ワークブックを検索')}
      />
      <p role="status" className={styles.status}>
        {statusLine(hits, query, t)}
      </p>
      {hits !== 'unavailable' && (
        <ul className={styles.hits}>
          {hits.map((hit) => (
            <li key={hit.url}>
              <a href={hit.url} onClick={(event) => go(event, hit.url)}>
                <strong>{hit.title}</strong>
                <span dangerouslySetInnerHTML={{ __html: hit.excerpt }} />
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function statusLine(hits: Hit[] | 'unavailable', query: string, t: ReturnType<typeof useSay>): string {
  if (hits === 'unavailable')
    return t(
      'The search index is made by a build: npm start.',
      '検索用の索引はビルド時に作られます：npm start',
    )
  if (!query.trim()) return ''
  return hits.length === 0
    ? t('Nothing found.', '見つかりませんでした。')
    : t(`${hits.length} places`, `${hits.length}件`)
}

/** Arrow keys go through the results; Tab does too. */
function moveByArrows(event: React.KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step) return
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('input, a')]
  const next = stops[stops.indexOf(document.activeElement as HTMLElement) + step]
  if (!next) return
  event.preventDefault()
  next.focus()
}
