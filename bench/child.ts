// A measurement in a process of its own: its memory and its compiled code are nobody else's. The child prints one line of
// JSON as its last word.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'

/** No measurement takes so long, the full work included: a child that does is stuck, and is stopped. */
const childMsMax = 170_000
const complaintBytesMax = 4_000

/** Runs `file` (in this folder) with one JSON argument and returns its last line, parsed. Throws with its stderr if it fails. */
export async function measureInChild<T extends z.ZodType>(file: string, given: object, answer: T): Promise<z.infer<T>> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: childMsMax,
  })
  const { output, complaints } = gather(child)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve([code, signal]))
  })
  if (code !== 0) throw new Error(`${file} ended with ${signal ?? code}:\n${complaints()}`)
  const line = output().trimEnd().split('\n').at(-1) ?? ''
  return answer.parse(JSON.parse(line))
}

/** What the parent asked for, in the child. */
export function givenToChild<T extends z.ZodType>(shape: T): z.infer<T> {
  return shape.parse(JSON.parse(process.argv[2] ?? 'null'))
}
/** The child's last word. */
export function tellParent(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

export function gather(child: ChildProcess): { output(): string; complaints(): string } {
  let output = ''
  let complaints = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    output += bytes.toString()
  })
  child.stderr?.on('data', (bytes: Buffer) => {
    complaints = (complaints + bytes.toString()).slice(-complaintBytesMax)
  })
  return { output: () => output, complaints: () => complaints }
}
