// A topic read by a stranger: kcat prints every record of every partition, from the beginning to the end.
import { spawnSync } from 'node:child_process'

export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string
}

export function kcatIsThere(): boolean {
  return spawnSync('kcat', ['-V']).status === 0
}

/** All records of the topic, in partition order and then offset order as kcat met them. */
export function readTopic(kafka: string, topic: string): ReadRecord[] {
  const run = spawnSync(
    'kcat',
    ['-C', '-b', kafka, '-t', topic, '-o', 'beginning', '-e', '-q', '-X', 'check.crcs=true', '-f', '%p\t%o\t%k\t%s\n'],
    { encoding: 'utf8', maxBuffer: 1 << 30 },
  )
  if (run.status !== 0) throw new Error(`kcat -C -t ${topic}: ${run.stderr}`)
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition, offset, key, ...value] = line.split('\t')
      return { partition: Number(partition), offset: Number(offset), key: key!, value: value.join('\t') }
    })
}
