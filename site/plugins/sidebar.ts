import type { SidebarItemConfig } from '@docusaurus/plugin-content-docs/src/sidebars/types.js'
import type { Language } from '../../harness/text.ts'
import { readParts } from './labs.ts'

const coming = { en: 'coming', ja: '準備中' }

/** The sidebar: chapters in the order of their numbers, those without a page marked as coming. */
export async function sidebarItems(root: string, language: Language): Promise<SidebarItemConfig[]> {
  const parts = await readParts(root, language)
  return parts.map(({ title, chapters }) => ({
    type: 'category',
    label: title,
    collapsible: false,
    collapsed: false,
    items: chapters.map((chapter): SidebarItemConfig =>
      chapter.built
        ? { type: 'doc', id: chapter.slug, label: chapter.title, customProps: { slug: chapter.slug } }
        : {
            type: 'html',
            className: 'coming',
            value: `<span class="coming__number">${chapter.number}</span><span>${chapter.title} <em>${coming[language]}</em></span>`,
          },
    ),
  }))
}
