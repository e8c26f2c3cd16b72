import type { LoadContext, Plugin } from '@docusaurus/types'
import { join } from 'node:path'
import type { Language } from '../../harness/text.ts'
import { readParts } from './labs.ts'
import { leanCss } from './lean-css.ts'

/** What every page may know of every chapter: titles and steps, not hints. */
export function chaptersPlugin(root: string, language: Language): Plugin {
  return {
    name: 'workbook',
    getPathsToWatch: () => [`${root}/labs/*/lab.ts`, `${root}/site/contents.json`],
    contentLoaded: async ({ actions }) => {
      actions.setGlobalData({ parts: await readParts(root, language) })
    },
  }
}

/** `src/theme` is looked for at the root of the repository only; ours lives in `site/`. */
export function localThemePlugin(): Plugin {
  return {
    name: 'workbook-theme',
    getThemePath: () => './site/src/theme',
    getTypeScriptThemePath: () => './site/src/theme',
  }
}

/** Two cures for a repository whose package.json says `"type": "module"`, and what keeps the pages light. */
export function bundlerPlugin({ siteDir }: LoadContext): Plugin {
  return {
    name: 'workbook-bundler',
    configurePostCss: (options) => ({ ...options, plugins: [...options.plugins, leanCss()] }),
    configureWebpack: (_config, isServer) => ({
      resolve: { alias: { 'prism-react-renderer$': join(siteDir, 'site/plugins/no-prism.ts') } },
      // Generated files mix require and import; the pages' server chunks are CommonJS.
      module: { rules: [{ test: /[\\/]\.docusaurus[\\/].*\.js$/, type: 'javascript/auto' }] },
      ...(isServer && { output: { chunkFilename: 'assets/js/[name].[contenthash:8].cjs' } }),
    }),
  }
}
