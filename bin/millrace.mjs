#!/usr/bin/env node
// The launcher: finds a Node that is new enough, then runs the command line from the sources of a checkout
// (Node strips the types) or from the emitted JavaScript of an installed package.
import { existsSync } from 'fs'
import module from 'module'
import { fileURLToPath } from 'url'
import { findNode, runNode, tellWhichNode } from './node.mjs'

const source = new URL('../src/cli/main.ts', import.meta.url)
const emitted = new URL('../dist/cli/main.js', import.meta.url)
const entry = existsSync(source) ? source : emitted

const node = findNode()
if (node === null) tellWhichNode()
else if (node === process.execPath) {
  // From the second start on Node takes the sources compiled, types stripped, from its cache. (A Node that is new enough
  // to be here has it.)
  module.enableCompileCache()
  import(entry.href).catch((error) => {
    process.stderr.write(`millrace: could not start: ${error && error.stack ? error.stack : error}\n`)
    process.exit(70)
  })
} else runNode(node, [fileURLToPath(entry)].concat(process.argv.slice(2)), true)
