// What the section `wire` takes its records from.
export const forms = [
  'a file',
  'batches, none',
  'batches, lz4',
  'batches, snappy',
  'batches, zstd',
  'batches, gzip',
  'four plans',
] as const
export type Form = (typeof forms)[number]
