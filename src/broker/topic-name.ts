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
