import MDXComponents from '@theme-init/MDXComponents'
import { CodeBlock } from '../../components/CodeBlock.tsx'
import { Diagram, UndrawnDiagram } from '../../components/Diagram.tsx'
import { Figure, Figures } from '../../components/Figures.tsx'
import { LabPanel } from '../../components/LabPanel.tsx'
import { Choice, Question, Why } from '../../components/Quiz.tsx'
import { Simulation } from '../../components/Simulation.tsx'
import { Solution } from '../../components/Solution.tsx'
import { Step } from '../../components/Step.tsx'
import { Wide } from '../../components/Wide.tsx'

/** What a chapter may use without an import. */
export default {
  ...MDXComponents,
  Choice,
  CodeBlock,
  Diagram,
  Figure,
  Figures,
  LabPanel,
  Question,
  Simulation,
  Solution,
  Step,
  UndrawnDiagram,
  Why,
  Wide,
}
