#!/usr/bin/env node
// Runs the Node that Millrace needs, with whatever arguments follow. Plain JavaScript that any Node since 12 can read:
// if the Node on PATH is too old, the binary from the optional package node-linux-<cpu> takes over (design A1).
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED = [24, 12]

const isNewEnough = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
}

// Beside this file in a checkout, or hoisted next to the package when it is installed.
const bundledNode = () => {
  if (process.platform !== 'linux') return null
  for (const up of ['../node_modules/', '../../']) {
    const path = fileURLToPath(new URL(`${up}node-linux-${process.arch}/bin/node`, import.meta.url))
    if (existsSync(path)) return path
  }
  return null
}

/** The path of a Node >= 24.12, or null when neither this process nor an optional package is one. */
export const findNode = () => (isNewEnough() ? process.execPath : bundledNode())

/** Replaces this process as far as Node can: same streams, same signals, same exit code. */
export const runNode = (node, args) => {
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`millrace: could not run ${node}: ${error.message}\n`)
    process.exit(70)
  })
  child.on('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exit(code === null ? 70 : code)
  })
}

export const tellWhichNode = () => {
  process.stderr.write(
    `millrace: this is Node ${process.versions.node} on ${process.platform}-${process.arch}; Millrace needs Node ${NEEDED.join('.')} or newer.\n` +
      '  On Linux x64 and arm64 it comes along as an optional package: run `npm ci` without --omit=optional.\n' +
      '  Elsewhere install Node 24 LTS (https://nodejs.org) and run the command again.\n',
  )
  process.exit(2)
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  const node = findNode()
  if (node) runNode(node, process.argv.slice(2))
  else tellWhichNode()
}
