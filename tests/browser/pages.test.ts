// The pages of the screen over a real shop in one process: each is reached by its address and by keys, shows rows, has no
// complaint of the browser and none of axe, in light and dark, wide and narrow. KEEP_PICTURES=<folder> keeps pictures.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { type Platform, startPlatform } from '../../src/platform.ts'
import { pagePaths } from '../../src/serve/contract.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { chromiumPath, launch } from './chromium.ts'

const work = mkdtempSync(join(tmpdir(), 'millrace-pages-'))
const screenFolder = join(work, 'screen')
const pictures = process.env.KEEP_PICTURES ?? join(work, 'pictures')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A heading of each page, and of those with figures a word of a row that must come. */
const signs: Readonly<Record<(typeof pagePaths)[number], { readonly heading: string; readonly row: RegExp | null }>> = {
  '/events': { heading: 'Events', row: null },
  '/fraud': { heading: 'Fraud alerts', row: null },
  '/store': { heading: 'Funnel', row: /on-time|early/ },
  '/marketplaces': { heading: 'Marketplaces by hour', row: /Amazon/ },
  '/reports': { heading: 'Reports', row: /monthly-revenue/ },
  '/topics': { heading: 'Topics', row: /ecommerce_orders/ },
  '/groups': { heading: 'Consumer groups', row: /order-processors/ },
  '/quality': { heading: 'Ledger', row: /balanced/ },
}

describe('the pages', {
  skip: chromiumPath === null && 'no Chromium on this machine: install it, or name it in CHROMIUM',
  timeout: 300_000,
}, () => {
  let browser: Browser
  let platform: Platform
  before(async () => {
    mkdirSync(pictures, { recursive: true })
    await build({
      configFile: fileURLToPath(new URL('../../src/screen/vite.config.ts', import.meta.url)),
      logLevel: 'warn',
      build: { outDir: screenFolder },
    })
    browser = await launch()
    platform = await startPlatform(
      nodeWorld(),
      {
        dataDir: null,
        durability: 'power',
        listeners: [{ host: '127.0.0.1', port: 0 }],
        host: '127.0.0.1',
        port: 0,
        rate: 50,
        seed: 'pages',
        generate: true,
        screen: screenFolder,
        version: '0.0.0',
        log: () => undefined,
      },
      () => undefined,
    )
    // The tables open behind the first figures; asked before, they say so with a 503.
    while ((await fetch(`${platform.url}/api/v1/tables/sales_events/rows`)).status === 503) await setTimeout(100)
  })
  after(async () => {
    await browser?.close()
    await platform?.stop()
    rmSync(work, { recursive: true, force: true })
  })

  const visit = async (
    path: string,
    look: { readonly width: number; readonly dark: boolean },
    see: (page: Page) => Promise<void>,
  ): Promise<void> => {
    const page = await browser.newPage({
      viewport: { width: look.width, height: 900 },
      colorScheme: look.dark ? 'dark' : 'light',
    })
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    try {
      await page.goto(`${platform.url}${path}`)
      await see(page)
      assert.deepEqual(complaints, [], path)
    } finally {
      await page.close()
    }
  }
  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe)
    return page.evaluate(async () => {
      const { violations } = await (
        globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
      ).axe.run()
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
    })
  }

  for (const [at, path] of pagePaths.entries()) {
    test(`${path}: rows, no complaint, nothing for axe`, async () => {
      const { heading, row } = signs[path]
      for (const look of [
        { width: 1440, dark: at % 2 === 0 },
        { width: 390, dark: at % 2 === 1 },
      ]) {
        await visit(path, look, async (page) => {
          await page.getByRole('heading', { name: heading }).first().waitFor()
          if (row !== null) await page.getByText(row).first().waitFor({ timeout: 60_000 })
          await page.screenshot({ path: join(pictures, `${path.slice(1)}-${look.width}.png`) })
          assert.deepEqual(await violations(page), [], `${path} at ${look.width}`)
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          assert.ok(wide <= 0, `${path} is ${wide} pixels wider than a page of ${look.width}`)
        })
      }
    })
  }

  test('keys lead to pages, the way back leads back, a record has an address of its own', () =>
    visit('/', { width: 1440, dark: false }, async (page) => {
      await page.getByText('LIVE', { exact: true }).waitFor()
      await page.keyboard.press('g')
      await page.keyboard.press('t')
      await page.getByRole('link', { name: 'orders', exact: true }).click()
      const record = page.getByRole('link', { name: /^orders\/0 @ \d+$/ }).first()
      await record.waitFor()
      const name = await record.textContent()
      await record.click()
      await page.getByText(/from offset \d+ on/).waitFor()
      const address = page.url()
      await page.goto(address)
      await page
        .getByRole('link', { name: name ?? '' })
        .first()
        .waitFor()
      assert.match(address, /topic=orders&offset=\d+|topic=orders&partition=\d+&offset=\d+/)
      await page.goBack()
      await page.getByText('the newest records').waitFor()
    }))

  test('a report is run and shown', () =>
    visit('/reports', { width: 1440, dark: false }, async (page) => {
      await page.getByRole('button', { name: 'Run hourly-sales' }).click()
      await page.getByRole('heading', { name: /hourly-sales \d/ }).waitFor({ timeout: 60_000 })
    }))
})
