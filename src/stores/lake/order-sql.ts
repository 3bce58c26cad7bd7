// Nodes that keep some of their rows by order, in DuckDB SQL: the first of each identity, the top of each window.
import type { Column, PlanNode } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import type { NodeRows, QueryParts } from './query-parts.ts'
import { list, name } from './sql-text.ts'

/**
 * An identity is remembered for the horizon from when it was kept, not from when it last came: the next row kept is the
 * first that was read when the clock (the newest event time so far) was further. These are chains, one per identity. How
 * many bytes may be remembered is the engine's own matter: here it is all of them.
 */
export function deduplicateSql(
  query: QueryParts,
  node: PlanNode & { readonly kind: 'deduplicate' },
  input: NodeRows,
): NodeRows {
  const { parts, prefix, place, clock } = query
  if (clock === null || !input.carried.includes(clock))
    throw new PlanError(
      query.plan.name,
      node.id,
      'which copy of an identity came first is not told by files of several topics',
      'Deduplicate each topic before they are put together',
    )
  const identity = node.identity.map(name)
  const [from, until, next] = [`${prefix}from`, `${prefix}until`, `${prefix}next`]
  const rows = parts.add('rows', `SELECT *\nFROM ${input.part}`, true)
  const known = identity.map((column) => `${column} IS NOT NULL`).join(' AND ')
  // Of rows read under the same clock only the first can be kept.
  const seen = parts.add(
    'seen',
    `SELECT\n  ${list([...identity, `${clock} AS ${from}`, `min(${place}) AS ${next}`])}\nFROM ${rows}\nWHERE ${known}\nGROUP BY ${[...identity, clock].join(', ')}`,
    true,
  )
  // Most identities come once: they need no search for the next.
  const again = parts.add(
    'again',
    `SELECT *\nFROM ${seen}\nQUALIFY count(*) OVER (PARTITION BY ${identity.join(', ')}) > 1`,
    true,
  )
  const same = identity.map((column) => `s.${column} = n.${column}`).join(' AND ')
  const steps = parts.add(
    'steps',
    `SELECT s.${next} AS ${from}, n.${next} AS ${until}\nFROM ${again} AS s\nASOF JOIN ${again} AS n\n  ON ${same} AND s.${from} + ${node.horizonMs} < n.${from}`,
    true,
  )
  const kept = parts.addRecursive(
    'kept',
    place ?? '',
    `SELECT min(${next}) FROM ${seen} GROUP BY ${identity.join(', ')}`,
    (part) => `SELECT s.${until} FROM ${part} AS k JOIN ${steps} AS s ON k.${place} = s.${from}`,
  )
  const part = parts.add(
    'firsts',
    `SELECT *\nFROM ${rows}\nWHERE NOT (${known}) OR ${place} IN (SELECT ${place} FROM ${kept})`,
  )
  return { part, node, carried: input.carried }
}

/**
 * Nulls last whichever way is sorted; ties go by the rest of the key, nulls first. Of two rows of a stream under one key
 * the one that goes first stands.
 */
export function topSql(
  { parts, prefix }: QueryParts,
  node: PlanNode & { readonly kind: 'top' },
  input: NodeRows,
): NodeRows {
  const keys = node.changelog.mode === 'upsert' ? node.changelog.key.map(name) : []
  const by = node.by.map(({ column, descending }) => `${name(column)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`)
  const order = [...by, ...keys.map((key) => `${key} NULLS FIRST`)].join(', ')
  const rank = `${prefix}rank`
  const single =
    input.node.changelog.mode === 'upsert'
      ? input.part
      : parts.add(
          'single',
          `SELECT *\nFROM ${input.part}\nQUALIFY row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${by.join(', ')}) = 1`,
        )
  const within = node.within.length === 0 ? '' : `PARTITION BY ${node.within.map(name).join(', ')} `
  const ranked = parts.add(
    'ranked',
    `SELECT\n  *, row_number() OVER (${within}ORDER BY ${order}) AS ${rank}\nFROM ${single}`,
  )
  const columns = [...node.columns.map((column: Column) => name(column.name)), ...input.carried, rank]
  const part = parts.add('top', `SELECT ${columns.join(', ')}\nFROM ${ranked}\nWHERE ${rank} <= ${node.rows}`)
  return { part, node, carried: [...input.carried, rank] }
}
