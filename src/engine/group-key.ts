// The key of a group as people read it, for messages.
import type { Groups } from './panes.ts'
import type { GroupColumn } from './window-rows.ts'

export function groupKeyText(
  names: readonly string[],
  columns: readonly GroupColumn[],
  groups: Groups,
  group: number,
): string {
  if (names.length === 0) return 'all rows'
  const parts = names.map((name, index) => {
    const id = groups.keys.keys[group * groups.keys.width + index] ?? -1
    return `${name} = ${id < 0 ? 'null' : JSON.stringify(columns[index]?.dictionary.valueOf(id))}`
  })
  return parts.join(', ')
}
