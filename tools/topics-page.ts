// `npm run docs:topics`: prints docs/topics.md anew from the contracts.
import { writeFileSync } from 'node:fs'
import { contracts, topicsPage } from '../src/commerce/commerce.ts'

writeFileSync(new URL('../docs/topics.md', import.meta.url), topicsPage(contracts.values()))
