// A Millrace as people start it, for the sections that need one running.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { gather } from './child.ts'

const launcher = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url))
const readyMsMax = 60_000
const stopMsMax = 20_000

const readyLine = z.object({ ready: z.literal(true), kafka: z.string(), url: z.string().optional() })
export interface Server {
  readonly kafka: string
  /** Empty for a broker alone. */
  readonly url: string
  readonly pid: number
  /** From the start of the process to its ready line. */
  readonly readyMs: number
  /** On the clock of `performance.now()`. */
  readonly startedMs: number
  stop(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** Runs `millrace <args>` until it says that it is ready. Throws with its stderr when it does not. */
export async function startServer(...args: string[]): Promise<Server> {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [launcher, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const { output, complaints } = gather(child)
  const exited = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`))
  })
  const line = new Promise<string>((resolve) => {
    child.stdout.on('data', () => {
      const end = output().indexOf('\n')
      if (end !== -1) resolve(output().slice(0, end))
    })
  })
  const failed = (why: string): Error => new Error(`millrace ${args.join(' ')}: ${why}\n${complaints()}`)
  let late: NodeJS.Timeout | undefined
  const tooLate = new Promise<string>((resolve) => {
    late = setTimeout(resolve, readyMsMax, `no ready line within ${readyMsMax / 1000} s`)
  })
  const first = await Promise.race([
    line.then((text) => ({ text, readyMs: performance.now() - startedMs })),
    Promise.race([exited, tooLate]).then((why) => ({ why })),
  ])
  clearTimeout(late)
  if ('why' in first) {
    child.kill('SIGKILL')
    throw failed(first.why)
  }
  const ready = readyLine.parse(JSON.parse(first.text))
  return {
    kafka: ready.kafka,
    url: ready.url ?? '',
    pid: child.pid ?? 0,
    readyMs: first.readyMs,
    startedMs,
    async stop() {
      child.kill('SIGTERM')
      const forced = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
      await exited
      clearTimeout(forced)
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Calls `use` with a fresh data directory on the chosen disk and removes it afterwards. */
export async function withDataDir<T>(dir: string, use: (dataDir: string) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(dir, 'data-'))
  try {
    return await use(dataDir)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** A port nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
