// Invariants: what must be true whatever the world does. Checked in production too; a failure is a bug of ours.

/** A broken invariant. Never caught to log and go on: the process stops and the restart recovers. */
export class BrokenInvariant extends Error {
  override name = 'BrokenInvariant'
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message)
}

/** Closes every `switch` over a union, so that a new member fails to compile where it is not handled. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unreachable: ${JSON.stringify(value)}`)
}
