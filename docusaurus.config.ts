import { createRequire } from 'node:module'
import type { Config } from '@docusaurus/types'
import type { UserThemeConfig } from '@docusaurus/theme-common'

// Docusaurus compiles this file to CommonJS. What the build needs of ours is loaded by Node itself, as everywhere else.
const native = createRequire(`${process.cwd()}/package.json`)
const { bundlerPlugin, chaptersPlugin, localThemePlugin } = native(
  './site/plugins/docusaurus.ts',
) as typeof import('./site/plugins/docusaurus.ts')
const { pluginVersion, remarkWorkbook } = native(
  './site/plugins/remark-workbook.ts',
) as typeof import('./site/plugins/remark-workbook.ts')
const { builtPages } = native('./site/plugins/labs.ts') as typeof import('./site/plugins/labs.ts')
const { sidebarItems } = native('./site/plugins/sidebar.ts') as typeof import('./site/plugins/sidebar.ts')

// `docusaurus start` sets the variable to the text "undefined".
const language = process.env.DOCUSAURUS_CURRENT_LOCALE === 'ja' ? 'ja' : 'en'
const root = process.cwd()
const text = (en: string, ja: string) => (language === 'ja' ? ja : en)

// Of a few chapters some link to chapters that are not built with them.
const broken = process.env.SITE_CHAPTERS ? 'warn' : 'throw'

const config: Config = {
  title: 'The Scaling Workbook',
  tagline: text(
    'Sixteen things that break when one server becomes many, and labs in which you mend them.',
    '1台のサーバーを何台にも増やすと壊れる、16のもの。それを自分の手で直すラボです。',
  ),
  favicon: 'img/favicon.svg',
  url: process.env.SITE_URL ?? 'http://localhost:3000',
  baseUrl: process.env.SITE_BASE ?? '/',
  trailingSlash: false,
  baseUrlIssueBanner: false,
  onBrokenLinks: broken,
  onBrokenAnchors: broken,
  onDuplicateRoutes: 'throw',
  markdown: {
    emoji: false,
    hooks: { onBrokenMarkdownLinks: broken, onBrokenMarkdownImages: 'throw' },
  },
  future: { v4: true, faster: true },
  i18n: {
    defaultLocale: 'en',
    locales: ['en', 'ja'],
    path: 'site/i18n',
    localeConfigs: {
      en: { label: 'English', htmlLang: 'en' },
      ja: { label: '日本語', htmlLang: 'ja', baseUrl: `${process.env.SITE_BASE ?? '/'}ja/` },
    },
  },
  staticDirectories: ['site/static'],
  plugins: [
    [
      '@docusaurus/plugin-content-docs',
      {
        path: 'site/chapters',
        routeBasePath: 'chapters',
        include: builtPages(root),
        numberPrefixParser: false,
        breadcrumbs: false,
        sidebarItemsGenerator: () => sidebarItems(root, language),
        beforeDefaultRemarkPlugins: [[remarkWorkbook, { root, language, version: pluginVersion(root) }]],
      },
    ],
    ['@docusaurus/plugin-content-pages', { path: 'site/src/pages' }],
    () => chaptersPlugin(root, language),
    bundlerPlugin,
  ],
  themes: [['@docusaurus/theme-classic', { customCss: ['./site/src/css/custom.css'] }], localThemePlugin],
  themeConfig: {
    image: 'img/social-card.png',
    colorMode: { respectPrefersColorScheme: true },
    docs: { sidebar: { hideable: true } },
    tableOfContents: { minHeadingLevel: 2, maxHeadingLevel: 3 },
    navbar: {
      title: text('The Scaling Workbook', 'スケーリング・ワークブック'),
      logo: { src: 'img/logo.svg', srcDark: 'img/logo-dark.svg', alt: '', width: 28, height: 28 },
      items: [
        { to: '/#map', label: text('Chapters', '章の一覧'), position: 'left', activeBaseRegex: '/chapters/' },
        { type: 'localeDropdown', position: 'right' },
      ],
    },
  } satisfies UserThemeConfig,
}

export default config
