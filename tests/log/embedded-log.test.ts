// The embedded broker keeps what a `Log` promises.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBroker } from '../../src/broker/broker.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { logContract } from './log-contract.suite.ts'

logContract('embedded', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  return {
    async open() {
      const broker = await openBroker(nodeWorld(), { dataDir, durability: 'process', freeBytesMin: 0 })
      return { log: broker, close: () => broker.close() }
    },
    beside: null,
    hasOneOrder: true,
    async done() {
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
})
