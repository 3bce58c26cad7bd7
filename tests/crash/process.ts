// A real Millrace process for tests: started by the command people type, killed as a power-hungry operator would.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface MillraceProcess {
  readonly url: string
  readonly kafka: string
  readonly pid: number
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** What it wrote to stderr so far. */
  complaints(): string
}

/** Starts `millrace start --json …` on free ports and waits for its ready line; throws with its stderr if it ends before. */
export async function startMillrace(dataDir: string, ...args: string[]): Promise<MillraceProcess> {
  const child = spawn(
    process.execPath,
    [main, 'start', '--json', '--no-open', '--port', '0', '--kafka-port', '0', '--data-dir', dataDir, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stderr = ''
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString()
  })
  const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)))
  const line = await firstLine(child, ended, () => stderr)
  const ready = JSON.parse(line) as { ready: boolean; url: string; kafka: string }
  return {
    url: ready.url,
    kafka: ready.kafka,
    pid: child.pid!,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    stop() {
      child.kill('SIGTERM')
      return ended
    },
    complaints: () => stderr,
  }
}

function firstLine(child: ChildProcess, ended: Promise<number | null>, stderr: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
    })
    void ended.then((code) => reject(new Error(`millrace ended with ${code} before it was ready:\n${stderr()}`)))
  })
}
