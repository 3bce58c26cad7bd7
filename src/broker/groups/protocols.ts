// Which way of assigning a group agrees on: one that all members know, by the most votes.
import { assert } from '../../std/assert.ts'
import type { Group, Member, Protocol } from './group.ts'

/** Could a member with these protocols be in the group? `without`: the member whose place it takes. */
export function fits(
  group: Group,
  protocolType: string,
  protocols: readonly Protocol[],
  without: Member | null,
): boolean {
  if (protocolType === '' || protocols.length === 0) return false
  const others = [...group.members.values()].filter((member) => member !== without)
  if (others.length === 0) return true
  if (protocolType !== group.protocolType) return false
  return protocols.some(({ name }) => others.every((other) => knows(other, name)))
}
const knows = (member: Member, name: string): boolean => member.protocols.some((protocol) => protocol.name === name)

/** Each member votes for the first in its list that all know. A tie goes to the one that was voted for first. */
export function chooseProtocol(members: readonly Member[]): string {
  const counts = new Map<string, number>()
  for (const { protocols } of members) {
    for (const name of new Set(protocols.map((protocol) => protocol.name)))
      counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const choice = protocols.find(({ name }) => counts.get(name) === members.length)
    assert(choice !== undefined, 'the members of a group have a protocol in common')
    votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let chosen: string | null = null
  for (const [name, count] of votes) if (chosen === null || count > votes.get(chosen)!) chosen = name
  assert(chosen !== null, 'a group without members chooses nothing')
  return chosen
}

export function metadataOf(member: Member, protocol: string): Uint8Array {
  const found = member.protocols.find(({ name }) => name === protocol)
  assert(found !== undefined, `member ${member.id} does not know ${protocol}`)
  return found.metadata
}
export function sameProtocols(a: readonly Protocol[], b: readonly Protocol[]): boolean {
  return (
    a.length === b.length && a.every(({ name, metadata }, i) => name === b[i]!.name && same(metadata, b[i]!.metadata))
  )
}
function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
