import type { AtRule, Plugin, Rule } from 'postcss'

/** Components of Infima, the theme's style sheet, that no page of ours shows. */
const UNUSED = [
  'alert',
  'avatar',
  'badge',
  'breadcrumbs',
  'button',
  'button-group',
  'card',
  'card-demo',
  'hero',
  'pills',
  'tabs',
  'shadow--lw',
  'shadow--md',
  'shadow--tl',
  'footer',
  'table-of-contents__left-border-none',
  'navbar--dark',
  'navbar--primary',
  'navbar-sidebar__ignored',
  'close__ignored',
]
/** Utility classes and grid offsets: pages use their own styles. */
const UTILITIES = /^\.(?:margin|padding|text|item|col--offset|row--|container-fluid|table-)[\w-]*/

const isUnused = (selector: string): boolean => {
  const first = /\.([\w-]+)/.exec(selector)?.[1]
  if (first === undefined) return false
  const block = first.split('--')[0]?.split('__')[0] ?? first
  return (
    UNUSED.includes(first) ||
    UNUSED.includes(block) ||
    (UTILITIES.test(`.${first}`) && !first.startsWith('table-of-contents'))
  )
}

/** PostCSS plugin: leaves out of Infima what nothing here uses. A page then loads a third less style. */
export function leanCss(): Plugin {
  return {
    postcssPlugin: 'lean-css',
    Rule(rule: Rule) {
      if (!/[\\/]infima[\\/]/.test(rule.source?.input.file ?? '')) return
      const used = rule.selectors.filter((selector) => !isUnused(selector))
      if (used.length === 0) rule.remove()
      else if (used.length < rule.selectors.length) rule.selectors = used
    },
    AtRule(rule: AtRule) {
      if (rule.nodes?.length === 0) rule.remove()
    },
  }
}
