import { useDoc } from '@docusaurus/plugin-content-docs/client'
import MDXContent from '@theme/MDXContent'
import type { Props } from '@theme/DocItem/Content'
import { ChapterHeader } from '../../../components/ChapterHeader.tsx'

export default function DocItemContent({ children }: Props) {
  const { metadata } = useDoc()
  return (
    <div className="theme-doc-markdown markdown chapter">
      <ChapterHeader slug={metadata.id} title={metadata.title} description={metadata.description} />
      <MDXContent>{children}</MDXContent>
    </div>
  )
}
