// Looks up what the user named (pipelines, reports, data sets) and, when it is not there, says what was probably meant.
import type { Pipeline, Report } from '../commerce/commerce.ts'
import { nearest } from '../std/nearest.ts'
import { CommandError, exitCodes } from './errors.ts'

/** A "not found" that names what there is and what was probably meant. `usage` is the command up to the name. */
export function notFound(kind: string, name: string, known: readonly string[], usage: string): CommandError {
  const meant = nearest(name, known)
  return new CommandError(exitCodes.notFound, {
    what: `there is no ${kind} ${JSON.stringify(name)}`,
    value: name,
    cause: known.length === 0 ? `there are none` : `there is ${known.join(', ')}`,
    ...(meant === null ? {} : { cure: `did you mean \`${usage} ${meant}\`?` }),
  })
}

export async function pipelineNamed(name: string, usage: string): Promise<Pipeline> {
  const { pipelines } = await import('../commerce/commerce.ts')
  const found = pipelines.get(name)
  if (!found) throw notFound('pipeline', name, [...pipelines.keys()], usage)
  return found
}

export async function reportNamed(name: string, usage: string): Promise<Report> {
  const { reports } = await import('../commerce/commerce.ts')
  const found = reports.get(name)
  if (!found) throw notFound('report', name, [...reports.keys()], usage)
  return found
}
