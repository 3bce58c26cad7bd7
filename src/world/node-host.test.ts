// What Linux says of processes: alive, ended but not collected, gone.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { nodeHost } from './node-host.ts'

const skip = existsSync('/proc/self/stat') ? false : 'this system has no /proc'

test('a process that has ended is dead even while nobody collects it', { skip }, async () => {
  const host = nodeHost()
  assert.ok(host.isAlive(process.pid))
  // The shell starts a child that ends at once, tells its id and never asks for it again.
  const shell = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const pid = Number(
      await new Promise<string>((resolve) => shell.stdout.once('data', (text) => resolve(String(text)))),
    )
    for (let i = 0; i < 500 && host.isAlive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(host.isAlive(pid), false)
    // Some shells collect it before they become `sleep`; then it is gone, which is as dead.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : null
    if (stat !== null) assert.match(stat, /\) Z /, 'it is still there, uncollected')
    assert.ok(host.birthOf(process.pid) !== host.birthOf(shell.pid!))
    assert.equal(host.birthOf(0x3fffff), null)
  } finally {
    shell.kill('SIGKILL')
  }
})
