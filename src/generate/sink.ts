// Where generated traffic goes. The generator never learns who listens: a broker, a file, a test.

export interface RecordSink {
  /**
   * One record for a topic. The bytes are valid during the call only: copy what must stay. `timeMs` is when the record
   * is handed over on the generator's clock (its Kafka timestamp, so its arrival); its event time is in the value.
   */
  record(topic: string, key: Uint8Array, value: Uint8Array, timeMs: number): void
}
