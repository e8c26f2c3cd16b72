import { CodeBlock } from '../../components/CodeBlock.tsx'

/** Code that doesn't come from a fence of ours (the theme's own error pages): shown as it is. */
export default function ThemeCodeBlock({ children }: { children: string }) {
  const html = String(children).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return <CodeBlock language="text" html={html} />
}
