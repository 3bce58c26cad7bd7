// Where generated traffic goes. The generator never learns who listens: a broker, a file, a test.
import type { EventTimeMs } from '../std/units.ts'

export interface RecordSink {
  /** One record for a topic. The bytes are valid during the call only: copy what must stay. */
  record(topic: string, key: Uint8Array, value: Uint8Array, timeMs: EventTimeMs): void
}
