import { INTERRUPTED, interrupt } from '../life.ts'

/** Single keys from a terminal, without Enter. Returns what gives the terminal back. */
export function readKeys(onKey: (key: string) => void, onResume: () => void): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  const raw = (on: boolean): void => void stdin.setRawMode(on)
  const take = (data: Buffer): void => {
    const text = data.toString('utf8')
    if (text === '\u0003') return interrupt(INTERRUPTED)
    if (text === '\u001a') return suspend()
    if (text.startsWith('\u001b') && text.length > 1) return // an arrow, or another key with a name
    // A Japanese input method that was left on sends full-width letters.
    for (const letter of text.normalize('NFKC').toLowerCase()) onKey(letter)
  }
  /** Ctrl-Z reaches nobody while keys are read one by one: passed on to the whole group, as the terminal would. */
  const suspend = (): void => {
    raw(false)
    process.once('SIGCONT', () => {
      raw(true)
      onResume()
    })
    process.kill(0, 'SIGTSTP')
  }
  raw(true)
  stdin.resume()
  stdin.on('data', take)
  const restore = (): void => raw(false)
  process.once('exit', restore)
  return () => {
    stdin.off('data', take)
    stdin.pause()
    restore()
    process.off('exit', restore)
  }
}
