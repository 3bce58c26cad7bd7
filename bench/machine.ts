// What the figures were taken on: without it they mean nothing.
import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Machine {
  readonly date: string
  /** Short commit id; `+changes` when the checkout holds uncommitted ones. */
  readonly commit: string
  readonly cores: number
  readonly model: string
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  /** Of the folder where brokers put their data: on `tmpfs` a sync costs nothing and its figures mean nothing. */
  readonly disk: string
}

const root = fileURLToPath(new URL('..', import.meta.url))

export function describeMachine(dataDir: string): Machine {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: commit(),
    cores: processors.length,
    model: processors[0]?.model.trim() ?? 'unknown processor',
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    disk: fileSystemOf(dataDir),
  }
}

function commit(): string {
  const git = (...args: string[]): string | null => {
    const ran = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
    return ran.status === 0 ? ran.stdout.trim() : null
  }
  const id = git('rev-parse', '--short=10', 'HEAD')
  if (id === null) return 'not a checkout'
  return git('status', '--porcelain', '--untracked-files=no') === '' ? id : `${id}+changes`
}

/** Magic numbers of statfs(2) on Linux; elsewhere the number itself is shown. */
const fileSystems: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x0102_1994, 'tmpfs'],
  [0x5846_5342, 'xfs'],
  [0x9123_683e, 'btrfs'],
  [0x794c_7630, 'overlayfs'],
  [0x2fc1_2fc1, 'zfs'],
  [0xf2f5_2010, 'f2fs'],
  [0x6969, 'nfs'],
])
function fileSystemOf(path: string): string {
  const kind = statfsSync(path).type
  return fileSystems.get(kind) ?? `file system 0x${kind.toString(16)}`
}

export function machineText(machine: Machine): string {
  return [
    `${machine.date} UTC, commit ${machine.commit}`,
    `${machine.cores} cores, ${machine.model}, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    `data on ${machine.disk}${machine.disk === 'tmpfs' ? ': a sync costs nothing here, --dir chooses a real disk' : ''}`,
  ].join('\n')
}
