// What the delay monitor says becomes lines of the log, in the words of the documents (D3, D4).
import { delayTopics } from '../commerce/commerce.ts'
import type { JobOutput } from '../engine/engine.ts'
import { limitedLog, type WriteLog } from '../std/log-line.ts'
import type { World } from '../world/world.ts'

/** Of one kind: a batch that comes late must not fill the disk with its lines, each of them is in the topic. */
const linesMax = 20
const perMs = 1_000

export function delayLog(world: World, write: WriteLog): (output: JobOutput) => void {
  // Lines are limited by their kind: the words up to the colon.
  const limited = limitedLog(
    (level, component, _kind, fields) => {
      const { line, ...rest } = fields ?? {}
      write(level, component, String(line), Object.keys(rest).length === 0 ? undefined : rest)
    },
    () => world.clock.monoMs(),
    linesMax,
    perMs,
  )
  return ({ emitted }) => {
    for (const { topic, value } of emitted) {
      if (value === null || (topic !== delayTopics.events && topic !== delayTopics.statistics)) continue
      const { lines } = JSON.parse(value) as { readonly lines?: readonly string[] }
      for (const line of lines ?? []) limited('info', 'delays', line.slice(0, line.indexOf(':')), { line })
    }
  }
}
