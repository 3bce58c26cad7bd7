// What members of the classic protocol `consumer` tell each other through the broker: what each reads and has, and what
// it is to have. The broker reads it for groups that move between the protocols, and to keep offsets that are in use.
//
//   ConsumerProtocolSubscription: version 2, topics: count 4, then each: length 2, UTF-8; user data: length 4 (-1 = none),
//     bytes; from version 1 on owned partitions: count 4, then each: topic: length 2, UTF-8; partitions: count 4, 4 each;
//     more follows in later versions
//   ConsumerProtocolAssignment, all versions: version 2, partitions as above, user data as above

export interface NamedPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}
export interface Subscription {
  readonly version: number
  readonly topics: readonly string[]
  readonly owned: readonly NamedPartitions[]
}
const ownedSince = 1

/** Null if the bytes are something else. */
export function readSubscription(bytes: Uint8Array): Subscription | null {
  return reading(bytes, (reader) => {
    const version = reader.int16()
    const topics = reader.list(() => reader.text())
    // Some clients leave out what they have none of.
    const owned = (): NamedPartitions[] => {
      reader.blob()
      return reader.left === 0 ? [] : reader.list(() => reader.partitions())
    }
    return { version, topics, owned: version >= ownedSince && reader.left > 0 ? owned() : [] }
  })
}
/** Null if the bytes are something else; no bytes are no partitions. */
export function readAssignment(bytes: Uint8Array): NamedPartitions[] | null {
  if (bytes.length === 0) return []
  return reading(bytes, (reader) => {
    reader.int16()
    return reader.list(() => reader.partitions())
  })
}
export function writeAssignment(version: number, assigned: readonly NamedPartitions[]): Uint8Array {
  const chunks = [int16(version), int32(assigned.length)]
  for (const { topic, partitions } of assigned) {
    const name = Buffer.from(topic)
    chunks.push(int16(name.length), name, int32(partitions.length), ...partitions.map(int32))
  }
  return new Uint8Array(Buffer.concat([...chunks, int32(-1)]))
}
function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

class OutOfBytes extends Error {
  override name = 'OutOfBytes'
}
function reading<T>(bytes: Uint8Array, read: (reader: Reader) => T): T | null {
  try {
    return read(new Reader(bytes))
  } catch (error) {
    if (error instanceof OutOfBytes) return null
    throw error
  }
}
class Reader {
  readonly #bytes: Buffer
  #at = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  get left(): number {
    return this.#bytes.length - this.#at
  }
  #take(size: number): number {
    const at = this.#at
    if (size < 0 || size > this.left) throw new OutOfBytes()
    this.#at += size
    return at
  }
  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }
  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }
  text(): string {
    const size = this.int16()
    const at = this.#take(size)
    return this.#bytes.toString('utf8', at, at + size)
  }
  blob(): void {
    const size = this.int32()
    if (size > 0) this.#take(size)
  }
  partitions(): NamedPartitions {
    return { topic: this.text(), partitions: this.list(() => this.int32()) }
  }
  /** The count is believed as far as the bytes go: each element takes at least two. */
  list<T>(read: () => T): T[] {
    const count = this.int32()
    if (count > this.left / 2) throw new OutOfBytes()
    return Array.from({ length: Math.max(0, count) }, read)
  }
}
