// A PostgreSQL of the test's own: a fresh data folder, a free port, stopped and started at will; null where there is none.
import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PostgresServer {
  readonly url: string
  /** Every session ends at once, nothing is flushed first. */
  stopAtOnce(): void
  start(): void
  remove(): void
}

/** Why there is none, if there is none. */
export async function postgresServer(settings: readonly string[] = []): Promise<PostgresServer | string> {
  const bin = folderWith('initdb')
  if (bin === null)
    return 'skipped: no PostgreSQL on this machine (initdb is in no folder of PATH or /usr/lib/postgresql)'
  // It refuses to run as root: then it runs as the user that its package has made.
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? postgresUser() : null
  if (isRoot && user === null) return 'skipped: PostgreSQL refuses to run as root, and there is no user postgres'
  const folder = mkdtempSync(join(tmpdir(), 'millrace-postgres-'))
  if (user !== null) chownSync(folder, user.uid, user.gid)
  const run = (program: string, args: readonly string[]): void => {
    const [command, all] =
      user === null
        ? [join(bin, program), args]
        : ['setpriv', [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', join(bin, program), ...args]]
    execFileSync(command, all, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C' },
    })
  }
  const port = await freePort()
  const data = join(folder, 'data')
  run('initdb', ['-D', data, '-U', 'millrace', '-A', 'trust', '-E', 'UTF8', '--no-sync'])
  const options = [`-p ${port}`, `-k ${folder}`, '-h 127.0.0.1', ...settings.map((each) => `-c ${each}`)].join(' ')
  const start = (): void => run('pg_ctl', ['-D', data, '-l', join(folder, 'log'), '-w', '-o', options, 'start'])
  const stopAtOnce = (): void => run('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop'])
  start()
  return {
    url: `postgres://millrace@127.0.0.1:${port}/postgres`,
    start,
    stopAtOnce,
    remove() {
      try {
        stopAtOnce()
      } catch {
        // It was stopped already.
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function folderWith(program: string): string | null {
  const versions = '/usr/lib/postgresql'
  const places = [
    ...(process.env.PATH ?? '').split(':'),
    ...(existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []),
  ]
  return places.find((place) => existsSync(join(place, program))) ?? null
}

function postgresUser(): { readonly uid: number; readonly gid: number } | null {
  const ask = (flag: string): number => Number(spawnSync('id', [flag, 'postgres']).stdout)
  const [uid, gid] = [ask('-u'), ask('-g')]
  return uid > 0 && gid > 0 ? { uid, gid } : null
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
