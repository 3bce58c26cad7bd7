// A Plan as the chain it is today: one source, steps over its rows, at most one window at the end. For those who write a
// Plan in another language; what is no such chain is refused by name.
import { unreachable } from '../std/assert.ts'
import type { Contract } from './contract.ts'
import type { Column, Plan, PlanNode } from './plan.ts'
import { PlanError } from './plan.ts'

export type ChainSource = PlanNode & { readonly kind: 'source' }
export type ChainStep = PlanNode & { readonly kind: 'project' | 'filter' | 'lookup' }
export type ChainWindow = PlanNode & { readonly kind: 'window-aggregate' }

export interface Chain {
  readonly plan: Plan
  readonly contract: Contract
  readonly source: ChainSource
  readonly steps: readonly ChainStep[]
  readonly window: ChainWindow | null
  /** Of the last node before the window, or of the result. */
  readonly columns: readonly Column[]
  /** Of the result. */
  readonly results: readonly Column[]
}

/** `language` is what the Plan is wanted in, for the message of the `PlanError`. */
export function chainOf(plan: Plan, language: string): Chain {
  const refuse = (at: string, what: string, cure: string): never => {
    throw new PlanError(plan.name, at, what, cure)
  }
  if (plan.version !== 1)
    refuse('version', `version ${String(plan.version)} is not known here`, 'Use this release of Millrace to build it')
  const [source, ...rest] = plan.nodes
  if (source?.kind !== 'source') return refuse('nodes', 'the first node is no source', 'Build plans with `from`')
  const contract = plan.contracts[source.topic]
  if (contract === undefined)
    return refuse(source.id, `no contract for topic '${source.topic}'`, 'Build plans with `from`')
  const steps: ChainStep[] = []
  let window: ChainWindow | null = null
  let before: PlanNode = source
  let columns = source.columns
  for (const node of rest) {
    if (window !== null)
      refuse(node.id, `'${node.kind}' after a window has no ${language} yet`, 'Compute it where the rows are read')
    if (node.inputs.length !== 1 || node.inputs[0] !== before.id)
      refuse(
        node.id,
        `'${node.kind}' does not follow the node before it`,
        `Only chains from one source have ${language} yet`,
      )
    switch (node.kind) {
      case 'project':
      case 'filter':
      case 'lookup':
        steps.push(node)
        columns = node.columns
        break
      case 'window-aggregate':
        window = node
        break
      case 'source':
      case 'unnest':
      case 'deduplicate':
      case 'union':
      case 'running-aggregate':
      case 'over':
      case 'top':
      case 'join':
      case 'decayed-sum':
      case 'pattern':
        refuse(
          node.id,
          `operator '${node.kind}' has no ${language} yet`,
          'Leave it out, or run the plan where it is known',
        )
        break
      default:
        unreachable(node)
    }
    before = node
  }
  return { plan, contract, source, steps, window, columns, results: before.columns }
}
