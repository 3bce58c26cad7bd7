// The Live page in a real browser over the real server, on a shop that moves: what people see, and what must not happen.
// The screen is built into a folder of its own; pictures go beside it (KEEP_PICTURES=<folder> keeps them).
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { build } from 'vite'
import { type Served, serve } from '../../src/serve/serve.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { chromiumPath, launch } from './chromium.ts'
import { hostileNames } from './hostile-names.ts'
import { type Shop, type ShopSettings, shop } from './shop.ts'

const firstLoadBytesMax = 120 * 1024
const world = nodeWorld({ seed: 'browser' })
const work = mkdtempSync(join(tmpdir(), 'millrace-browser-'))
const screenFolder = join(work, 'screen')
const pictures = process.env.KEEP_PICTURES ?? join(work, 'pictures')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const names = [
  'Wireless Earbuds X2',
  'Espresso Maker Duo',
  'Running Shoes Air',
  'Notebook Pro 14',
  'Ceramic Vase No. 7',
  'Kids Building Set',
]
const usual: ShopSettings = { seed: '42', products: names, empty: false, generator: true }

interface Visit {
  readonly page: Page
  readonly shop: Shop
  readonly house: Served
  /** Whatever the browser complained about: script errors, refusals by the security policy, failed requests. */
  readonly complaints: string[]
}

describe('the Live page', {
  skip: chromiumPath === null && 'no Chromium on this machine: install it, or name it in CHROMIUM',
}, () => {
  let browser: Browser
  before(async () => {
    mkdirSync(pictures, { recursive: true })
    await build({
      configFile: fileURLToPath(new URL('../../src/screen/vite.config.ts', import.meta.url)),
      logLevel: 'warn',
      build: { outDir: screenFolder },
    })
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    rmSync(work, { recursive: true, force: true })
  })

  const open = (made: Shop, port = 0) =>
    serve(world, made.ports, { host: '127.0.0.1', port, screenFolder, version: '0.1.0' })

  async function visit(
    run: (visit: Visit) => Promise<void>,
    settings: Partial<ShopSettings> = {},
    context: BrowserContextOptions = {},
  ) {
    const made = shop({ ...usual, ...settings })
    const house = await open(made)
    const opened = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      timezoneId: 'America/Sao_Paulo',
      ...context,
    })
    const page = await opened.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`)
      dialog.dismiss().catch(() => {})
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(`${house.url}/`)) complaints.push(`a request to ${request.url()}`)
    })
    try {
      await page.goto(house.url)
      await run({ page, shop: made, house, complaints })
      assert.deepEqual(made.faults, [])
    } finally {
      await opened.close()
      await house.close()
      made.stop()
    }
  }
  const tile = (page: Page, name: string) =>
    page.getByRole('article').filter({ has: page.getByRole('heading', { name, exact: true }) })
  const value = async (page: Page, name: string): Promise<string> =>
    (await tile(page, name).locator('.value').textContent()) ?? ''
  const pill = (page: Page) => page.locator('header .pill')
  const untilPill = (page: Page, text: string) =>
    page.waitForFunction((wanted) => document.querySelector('header .pill')?.textContent === wanted, text)
  const untilFigures = (page: Page) =>
    page.waitForFunction(() => /\d/.test(document.querySelector('.tiles .value')?.textContent ?? ''))
  const untilChanged = (page: Page, from: string) =>
    page.waitForFunction((before) => document.querySelector('.tiles .value')?.textContent !== before, from)

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe)
    return page.evaluate(async () => {
      // biome-ignore lint/suspicious/noExplicitAny: axe puts itself on the window
      const found = await (globalThis as any).axe.run(document, { resultTypes: ['violations'] })
      return found.violations.map(
        (each: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }) =>
          `${each.id}: ${each.help}: ${each.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`,
      )
    })
  }

  test('shows the figures and moves them, without a complaint of the browser', () =>
    visit(async ({ page, complaints }) => {
      await untilFigures(page)
      await untilPill(page, 'LIVE')
      assert.match(await value(page, 'Sales'), /^\d\d,\d{3}$/)
      assert.match(await value(page, 'Revenue'), /^R\$\u00a0\d\.\d\d\u00a0M$/)
      assert.match(await value(page, 'Average ticket'), /^R\$\u00a014\d\.\d\d$/)
      assert.equal(await value(page, 'Active sellers'), '16')
      assert.equal(await value(page, 'Biggest sale'), 'R$\u00a08,940.00')
      assert.match((await tile(page, 'Sales').locator('.change').textContent()) ?? '', /[▲▼]/)
      assert.equal(await page.locator('.tiles svg path').count(), 7)
      const line = () => page.locator('figure path.line').getAttribute('d')
      const [sales, drawn] = [await value(page, 'Sales'), await line()]
      await untilChanged(page, sales)
      assert.notEqual(await line(), drawn, 'the line moves with the figures')
      assert.equal(await page.getByText('final up to here').count(), 1)
      assert.match(
        (await page.locator('header').first().textContent()) ?? '',
        /as of \d\d:\d\d:\d\d[\s\S]*watermark \d\.\d/,
      )
      assert.deepEqual(complaints, [])
    }))

  test('paints about once a second, however often figures come', () =>
    visit(async ({ page }) => {
      await untilFigures(page)
      const gaps = await page.evaluate(async () => {
        const times: number[] = []
        const watcher = new MutationObserver(() => times.push(performance.now()))
        watcher.observe(document.querySelector('header .fresh')!, {
          subtree: true,
          characterData: true,
          childList: true,
        })
        await new Promise((resolve) => setTimeout(resolve, 4_500))
        watcher.disconnect()
        return times.slice(1).map((time, i) => time - times[i]!)
      })
      assert.ok(gaps.length >= 2, 'it did paint')
      for (const gap of gaps) assert.ok(gap >= 800, `two paints ${gap} ms apart`)
    }))

  for (const scheme of ['light', 'dark'] as const)
    for (const [width, height] of [
      [1440, 900],
      [390, 844],
    ] as const)
      test(`${scheme}, ${width} px: nothing overflows, axe finds nothing; a picture is taken`, () =>
        visit(
          async ({ page, complaints }) => {
            await untilFigures(page)
            await page.screenshot({ path: join(pictures, `live-${scheme}-${width}.png`), fullPage: true })
            const overflow = await page.evaluate(() => {
              const wide = document.documentElement.scrollWidth > innerWidth ? ['the page'] : []
              const cut = [...document.querySelectorAll('.tiles .value')].filter(
                (each) => each.scrollWidth > each.clientWidth,
              )
              return [...wide, ...cut.map((each) => each.textContent)]
            })
            assert.deepEqual(overflow, [])
            assert.deepEqual(await violations(page), [])
            const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
            assert.equal(background, scheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(15, 20, 25)')
            await page.getByRole('button', { name: 'Help' }).click()
            assert.deepEqual(await violations(page), [], 'help')
            await page.keyboard.press('Escape')
            await page.getByRole('button', { name: 'Table' }).click()
            assert.equal(await page.locator('figure tbody tr').count(), 8)
            assert.deepEqual(await violations(page), [], 'the table')
            assert.deepEqual(complaints, [])
          },
          {},
          { colorScheme: scheme, viewport: { width, height } },
        ))

  test('says why it is empty and what to do', () =>
    visit(
      async ({ page }) => {
        await page.getByRole('heading', { name: 'No sales yet' }).waitFor()
        const text = (await page.locator('main').textContent()) ?? ''
        assert.match(text, /generator is off/)
        assert.match(text, /millrace produce sales/)
        assert.equal(await value(page, 'Revenue'), '–')
        assert.equal(await page.locator('figure').count(), 0)
        assert.deepEqual(await violations(page), [])
      },
      { empty: true, generator: false, products: null },
    ))

  test('without best sellers the page is whole, with nothing in their place that is not known', () =>
    visit(
      async ({ page }) => {
        await untilFigures(page)
        assert.equal(await page.getByText('Top products').count(), 0)
        assert.equal(await page.getByRole('heading', { name: /This window/ }).count(), 1)
      },
      { products: null },
    ))

  test('keys: pause, theme, hide, help; none of them when they are turned off', () =>
    visit(async ({ page }) => {
      await untilFigures(page)
      const theme = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const light = await theme()
      await page.keyboard.press('t')
      assert.notEqual(await theme(), light)
      await page.reload()
      await untilFigures(page)
      assert.notEqual(await theme(), light, 'the choice is kept')
      await page.keyboard.press('t')
      assert.equal(await theme(), light)

      await page.keyboard.press('h')
      assert.equal(await value(page, 'Revenue'), '•••••')
      assert.doesNotMatch((await page.locator('main').textContent()) ?? '', /R\$/)
      await page.keyboard.press('h')

      await page.keyboard.press(' ')
      await untilPill(page, 'PAUSED')
      const paused = await value(page, 'Sales')
      await world.clock.sleep(2_500)
      assert.equal(await value(page, 'Sales'), paused)
      await page.keyboard.press(' ')
      await untilChanged(page, paused)

      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
      await page.getByRole('checkbox').uncheck()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
      await page.keyboard.press('t')
      assert.equal(await theme(), light)
    }))

  test('the chart tells any second, by pointer and by arrow keys', () =>
    visit(async ({ page }) => {
      await untilFigures(page)
      const slider = page.getByRole('slider')
      await slider.hover({ position: { x: 300, y: 100 } })
      assert.match((await page.locator('figure .strong').textContent()) ?? '', /^\d+ sales?$/)
      await slider.focus()
      await page.keyboard.press('End')
      assert.match(
        (await slider.getAttribute('aria-valuetext')) ?? '',
        /^\d\d:\d\d:\d\d, \d+ sales?, may still change$/,
      )
      await page.keyboard.press('Shift+ArrowLeft')
      assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /, final$/)
      await page.getByRole('button', { name: 'Revenue' }).click()
      await slider.focus()
      await page.keyboard.press('Home')
      assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /R\$\u00a0[\d,]+\.\d\d, final$/)
    }))

  test('a stopped server is noticed and said, the figures stay with their age, a new one is found by itself', () =>
    visit(async ({ page, house, shop: made }) => {
      await untilFigures(page)
      const sales = await value(page, 'Sales')
      await house.close()
      await page.getByText(/Millrace was stopped.*as of \d\d:\d\d:\d\d/).waitFor()
      assert.notEqual(await pill(page).textContent(), 'LIVE')
      assert.equal(await page.locator('header .dot.hollow').count(), 1)
      assert.match(await value(page, 'Sales'), /^\d\d,\d{3}$/)
      const second = await open(made, house.port)
      try {
        await untilPill(page, 'LIVE')
        await untilChanged(page, sales)
        assert.equal(await page.getByText(/Millrace was stopped/).count(), 0)
      } finally {
        await second.close()
      }
    }))

  test('what is old is dimmed', () =>
    visit(async ({ page, house }) => {
      await untilFigures(page)
      await house.close()
      await page.getByText(/Millrace was stopped/).waitFor()
      assert.equal(await page.locator('main.stale').count(), 0)
      await page.clock.install()
      await page.clock.fastForward(11_000)
      await page.locator('main.stale').waitFor()
    }))

  test('a hidden tab lets go of its stream, a tab that is seen again takes it up', () =>
    visit(async ({ page, house }) => {
      await untilFigures(page)
      assert.equal(house.streams(), 1)
      const hide = (hidden: boolean) =>
        page.evaluate((now) => {
          Object.defineProperty(document, 'hidden', { configurable: true, value: now })
          document.dispatchEvent(new Event('visibilitychange'))
        }, hidden)
      await hide(true)
      while (house.streams() > 0) await world.clock.sleep(10)
      const sales = await value(page, 'Sales')
      await world.clock.sleep(1_500)
      assert.equal(await value(page, 'Sales'), sales, 'nothing is painted unseen')
      await hide(false)
      while (house.streams() === 0) await world.clock.sleep(10)
      await untilChanged(page, sales)
    }))

  test('hostile names are shown as the text they are', async () => {
    const shown = 8
    for (let at = 0; at < hostileNames.length; at += shown) {
      const products = hostileNames.slice(at, at + shown)
      await visit(
        async ({ page, complaints }) => {
          await untilFigures(page)
          const texts = await page.locator('section li .name').allTextContents()
          assert.deepEqual(texts, products)
          const made = await page.evaluate(
            () =>
              document.querySelectorAll('main script, main img, main iframe, main a, main object, [onerror], [onload]')
                .length,
          )
          assert.equal(made, 0, 'no element came of a name')
          assert.equal(await page.evaluate(() => 'pwned' in globalThis), false)
          assert.deepEqual(complaints, [])
        },
        { products },
      )
    }
  })

  test('is small: JavaScript and CSS of the first load, compressed', () => {
    const folder = join(screenFolder, 'assets')
    const bytes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name))).length)
    const total = bytes.reduce((a, b) => a + b, 0)
    assert.ok(total <= firstLoadBytesMax, `${total} bytes`)
  })
})
