// What a topic may be called: Kafka's rule.

export const topicNameCharactersMax = 249

/** What is wrong with a topic's name, or null. */
export function topicNameProblem(name: string): string | null {
  if (name.length === 0) return 'a topic name has at least one character'
  if (name.length > topicNameCharactersMax) {
    return `a topic name has at most ${topicNameCharactersMax} characters, this one ${name.length}`
  }
  if (name === '.' || name === '..') return `"${name}" is no topic name`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return 'a topic name is made of a-z, A-Z, 0-9, ".", "_" and "-"'
  return null
}

/** Of topics that the house makes: those are its own, hidden from listings, and not to be written by clients. */
export const isInternalName = (name: string): boolean => name.startsWith('__')

/** What Kafka and the platform keep in topics of these names is theirs: clients may not make such topics. */
const reservedNames: ReadonlySet<string> = new Set([
  '__cluster_metadata',
  '__consumer_offsets',
  '__http_ingest_keys',
  '__share_group_state',
  '__transaction_state',
])
export const isReservedName = (name: string): boolean => reservedNames.has(name) || name.startsWith('__millrace')
