// The names of what may be wrong in a Kafka history, after jepsen.tests.kafka; and the list in which they are found.

export const forbidden = {
  'inconsistent-offsets': 'one offset of a key holds two values',
  duplicate: 'one value lies at two offsets',
  'lost-write': 'a committed value was never read, though later ones of its key were',
  unseen: 'a committed value was read by nobody, though all was read to its end',
  'G1a-aborted-read': 'a value was read whose writer failed',
  'torn-txn': "some of a transaction's values can be read, others never",
  'precommitted-read': 'a transaction read what it was about to commit itself',
  'garbage-read': 'what was read was never sent, or not with these bytes',
  'int-poll-skip': 'one poll left out values between two that it returned',
  'int-nonmonotonic-poll': 'one poll went back or repeated',
  'poll-skip': 'an assigned reader left out values between two of its polls',
  'nonmonotonic-poll': 'an assigned reader went back between two of its polls',
  'nonmonotonic-send': 'what a process sent later lies earlier',
  'int-nonmonotonic-send': 'what one operation sent later lies earlier',
  'G1c-circular-reads': 'operations read from each other in a circle',
} as const
/** Kafka does not promise their absence: counted and printed, never a fault. */
export const allowed = {
  'subscribed-poll-skip': 'a subscribed reader left values to other members',
  'subscribed-nonmonotonic-poll': 'a subscribed reader went back to what was committed',
  'int-send-skip': "other writers' values lie between those of one operation",
  'G0-write-cycle': 'transactions wrote among each other: Kafka does not isolate writes',
  'G1c-with-writes': 'a circle of reads and writes together',
} as const
export type Anomaly = keyof typeof forbidden | keyof typeof allowed

export interface Finding {
  count: number
  /** The first few, in words. */
  readonly examples: string[]
}
const examplesMax = 5

export class Findings {
  readonly #found = new Map<Anomaly, Finding>()
  add(anomaly: Anomaly, example: () => string): void {
    let finding = this.#found.get(anomaly)
    if (finding === undefined) {
      finding = { count: 0, examples: [] }
      this.#found.set(anomaly, finding)
    }
    finding.count++
    if (finding.examples.length < examplesMax) finding.examples.push(example())
  }
  get(anomaly: Anomaly): Finding | undefined {
    return this.#found.get(anomaly)
  }
  /** Those that may not be, by name. */
  faults(): Anomaly[] {
    return [...this.#found.keys()].filter((name) => name in forbidden).sort()
  }
  allowed(): Anomaly[] {
    return [...this.#found.keys()].filter((name) => name in allowed).sort()
  }
  /** One line for each, with its examples below. */
  text(names: readonly Anomaly[]): string {
    return names
      .map((name) => {
        const { count, examples } = this.#found.get(name)!
        const meaning = name in forbidden ? forbidden[name as never] : allowed[name as never]
        return [`${name} x ${count}: ${meaning}`, ...examples.map((example) => `    ${example}`)].join('\n')
      })
      .join('\n')
  }
}
