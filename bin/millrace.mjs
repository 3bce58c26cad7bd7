#!/usr/bin/env node
// The launcher: finds a Node that is new enough, then runs the command line from the sources of a checkout
// (Node strips the types) or from the emitted JavaScript of an installed package.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findNode, runNode, tellWhichNode } from './node.mjs'

const source = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const emitted = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const entry = existsSync(source) ? source : emitted

const node = findNode()
if (node === null) tellWhichNode()
else if (node === process.execPath) await import(entry)
else runNode(node, [entry, ...process.argv.slice(2)])
