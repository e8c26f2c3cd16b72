import { Children, isValidElement, useId, useState, type ReactElement, type ReactNode } from 'react'
import { useSay } from '../text.ts'
import styles from './Quiz.module.css'

interface ChoiceProps {
  /** The right answer of its question; exactly one is. */
  right?: boolean
  children: ReactNode
}

/** An answer to choose, with a `<Why>` inside that says what it gets right or wrong. */
export function Choice(_props: ChoiceProps): ReactNode {
  return null
}

export function Why({ children }: { children: ReactNode }) {
  return <div className={styles.why}>{children}</div>
}

/** A question with answers to choose from. Any answer explains itself; nothing is counted. */
export function Question({ children }: { children: ReactNode }) {
  const t = useSay()
  const name = useId()
  const [chosen, setChosen] = useState<number>()
  const all = Children.toArray(children)
  const choices = all.filter((c): c is ReactElement<ChoiceProps> => isValidElement(c) && c.type === Choice)
  const rest = all.filter((c) => !choices.includes(c as ReactElement<ChoiceProps>))
  if (choices.filter((c) => c.props.right).length !== 1)
    throw new Error('a <Question> needs exactly one <Choice right>')
  return (
    <fieldset className={styles.question}>
      <legend className={styles.legend}>{inline(rest)}</legend>
      {choices.map((choice, i) => {
        const [why, answer] = split(choice.props.children)
        const shown = chosen === i
        return (
          <div
            key={i}
            className={styles.choice}
            data-state={shown ? (choice.props.right ? 'right' : 'wrong') : undefined}
          >
            <label>
              <input type="radio" name={name} checked={shown} onChange={() => setChosen(i)} />
              <span>{answer}</span>
            </label>
            <div aria-live="polite">
              {shown && (
                <>
                  <strong className={styles.verdict}>
                    {choice.props.right ? t('Yes.', 'そのとおりです。') : t('No.', '違います。')}
                  </strong>
                  {why}
                </>
              )}
            </div>
          </div>
        )
      })}
    </fieldset>
  )
}

/** Paragraphs without their `<p>`, which neither a legend nor a label may hold. */
function inline(nodes: ReactNode[]): ReactNode[] {
  return nodes.map((node) => (isParagraph(node) ? <span key={node.key}>{node.props.children}</span> : node))
}

/** Separates the explanation from the answer that it explains; MDX may have put both into one paragraph. */
function split(children: ReactNode): [why: ReactNode, answer: ReactNode] {
  const flat = Children.toArray(children).flatMap((node) =>
    isParagraph(node) ? Children.toArray(node.props.children) : [node],
  )
  const isWhy = (node: ReactNode) => isValidElement(node) && node.type === Why
  return [flat.filter(isWhy), flat.filter((node) => !isWhy(node))]
}

const isParagraph = (node: ReactNode): node is ReactElement<{ children: ReactNode }> =>
  isValidElement(node) && node.type === 'p'
