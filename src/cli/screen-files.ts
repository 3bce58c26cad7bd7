// The built screen: where it lies, building it when a checkout has none yet or an outdated one, and opening the browser.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Output } from './output.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = `${root}dist/screen`
const stamp = `${root}dist/screen.stamp`
const buildTool = `${root}tools/build.ts`
const sources = `${root}src/screen`

/** The folder with the screen's index.html; null when there is none and none can be built (the API works without). */
export async function screenFolder(out: Output): Promise<string | null> {
  // An installed package brings the built screen along and no sources.
  if (existsSync(buildTool) && existsSync(sources) && !isFresh()) {
    const first = !existsSync(`${folder}/index.html`)
    out.say(
      first
        ? 'building the dashboard once (npm run build), as this checkout has none yet'
        : 'building the dashboard again: its sources have changed',
    )
    const failure = await build(out)
    if (failure !== null) out.warn(`the dashboard could not be built (${failure}): npm run build shows why`)
  }
  if (existsSync(`${folder}/index.html`)) return folder
  out.warn(
    'there is no dashboard: only the API is served. npm ci (with development packages) and npm run build make it',
  )
  return null
}

/** Is the page there, and none of its sources newer than the last build? Looks at times only: a start must not wait. */
function isFresh(): boolean {
  if (!existsSync(`${folder}/index.html`) || !existsSync(stamp)) return false
  const builtMs = statSync(stamp).mtimeMs
  const inputs = readdirSync(sources, { recursive: true, withFileTypes: true }).map(
    (entry) => `${entry.parentPath}/${entry.name}`,
  )
  return [...inputs, `${root}src/serve/contract.ts`].every(
    (path) => !existsSync(path) || statSync(path).mtimeMs <= builtMs,
  )
}

/** In a process of its own: the build's memory goes with it. Resolves with what went wrong, or null. */
function build(out: Output): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [buildTool], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code) => {
      for (const line of said.trimEnd().split('\n')) out.detail(line)
      resolve(code === 0 ? null : (said.trim().split('\n').at(-1) ?? `exit code ${code}`))
    })
  })
}

/** Shows the page, where there is a desktop to show it on; silent where there is none. */
export function openInBrowser(url: string): void {
  if (process.stdout.isTTY !== true || process.env.CI || process.env.SSH_CONNECTION) return
  const hasDesktop = process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)
  if (!hasDesktop) return
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer.exe' : 'xdg-open'
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
