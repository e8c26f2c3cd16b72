import { useState } from 'react'
import { Controls, Slider } from '../../kit/index.ts'
import { useSay } from '../../text.ts'
import { place, SLOTS } from './model.ts'
import styles from './wire.module.css'

const FIRST = 'p:{tea}:detail p:{tea}:stock p:{mug}:stock foo{}{bar} foo{{bar}}zap'

/** Keys typed in, and where each of them lies. */
export function Slots() {
  const t = useSay()
  const [text, setText] = useState(FIRST)
  const [borders, setBorders] = useState<[number, number]>([5462, 10_924])
  const keys = text.split(/\s+/).filter(Boolean).slice(0, 5)
  const placed = place(keys, borders)
  return (
    <>
      <label className={styles.keys}>
        {t('Keys, separated by spaces (five at the most)', 'キー（空白区切り、5個まで）')}
        <input
          value={text}
          maxLength={300}
          onChange={(event) => setText(event.target.value)}
          spellCheck={false}
        />
      </label>
      <ol className={styles.placed}>
        {Array.from({ length: 5 }, (_, i) => placed[i]).map((placement, i) => (
          <li key={i}>
            {placement ? (
              <>
                <code>{placement.key}</code>
                <span>
                  {t('hashed: ', 'ハッシュ対象：')}
                  <code>{placement.part}</code>
                </span>
                <span>
                  {t(
                    `slot ${placement.slot} → cache-${placement.node + 1}`,
                    `スロット${placement.slot} → cache-${placement.node + 1}`,
                  )}
                </span>
              </>
            ) : (
              '–'
            )}
          </li>
        ))}
      </ol>
      <Controls>
        <Slider
          label={t('cache-2 begins at slot', 'cache-2の最初のスロット')}
          value={borders[0]}
          min={0}
          max={borders[1]}
          shown={String(borders[0])}
          onChange={(first) => setBorders([first, borders[1]])}
        />
        <Slider
          label={t('cache-3 begins at slot', 'cache-3の最初のスロット')}
          value={borders[1]}
          min={borders[0]}
          max={SLOTS}
          shown={String(borders[1])}
          onChange={(second) => setBorders([borders[0], second])}
        />
      </Controls>
    </>
  )
}
