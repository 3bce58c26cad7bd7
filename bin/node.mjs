#!/usr/bin/env node
// Runs the Node that Millrace needs, with whatever arguments follow. Plain JavaScript that any Node since 12.17 can
// read (no top-level await, no `??`, no `node:` names): if the Node on PATH is too old, the binary from the optional
// package node-linux-<cpu> takes over.
import { spawn } from 'child_process'
import { realpathSync } from 'fs'
import { createRequire } from 'module'
import { dirname, join } from 'path'
import { fileURLToPath } from 'url'

const NEEDED = [24, 12]

const isNewEnough = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

// Wherever the package manager put it: beside this package, hoisted above it, or in a store of its own.
const bundledNode = () => {
  try {
    const found = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`)
    return join(dirname(found), 'bin', 'node')
  } catch (error) {
    return null
  }
}

/** The path of a Node >= 24.12, or null when neither this process nor an optional package is one. */
export const findNode = () => (isNewEnough() ? process.execPath : bundledNode())

/**
 * Replaces this process as far as Node can: same streams, same signals, same exit code. `tied`: the child gets a
 * channel and MILLRACE_LAUNCHED=1, so that it can notice when this process was killed hard and go too.
 */
export const runNode = (node, args, tied) => {
  const child = spawn(node, args, {
    stdio: tied ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
    env: tied ? Object.assign({}, process.env, { MILLRACE_LAUNCHED: '1' }) : process.env,
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(
      `millrace: could not run ${node}: ${error.message}\n` +
        `  Install Node ${NEEDED.join('.')} or newer (https://nodejs.org) and run the command again.\n`,
    )
    process.exit(2)
  })
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
      // A signal that Node ignores by default (none of ours) must not leave this process waiting for ever.
      setTimeout(() => process.exit(70), 1000)
    } else process.exit(code === null ? 70 : code)
  })
}

export const tellWhichNode = () => {
  process.stderr.write(
    `millrace: this is Node ${process.versions.node} on ${process.platform}-${process.arch}; Millrace needs Node ${NEEDED.join('.')} or newer.\n` +
      '  On Linux x64 and arm64 it comes along as an optional package: install again without --omit=optional.\n' +
      '  Elsewhere install Node 24 LTS (https://nodejs.org) and run the command again.\n',
  )
  process.exit(2)
}

// The real path: a checkout behind a symbolic link must not make this file think that it was only imported.
if (process.argv[1] && fileURLToPath(import.meta.url) === realpathSync(process.argv[1])) {
  const node = findNode()
  if (node) runNode(node, process.argv.slice(2), false)
  else tellWhichNode()
}
