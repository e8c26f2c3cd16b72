import { useDoc } from '@docusaurus/plugin-content-docs/client'
import TOC from '@theme-init/TOC'
import type { Props } from '@theme/TOC'
import { StepList } from '../../components/StepList.tsx'

/** The table of contents with the lab's marks above it, in sight while the reader works beside the page. */
export default function TOCWithSteps(props: Props) {
  return (
    <div className="toc-column">
      <StepList slug={useDoc().metadata.id} />
      <TOC {...props} />
    </div>
  )
}
