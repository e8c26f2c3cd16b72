import type { ReactNode } from 'react'

/** A table that needs more than the width of the text, and scrolls sideways on a phone. */
export function Wide({ children, label }: { children: ReactNode; label: string }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways on a phone
    <div className="wide" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  )
}
