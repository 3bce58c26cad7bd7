// The built screen: where it lies, and opening the browser; and building what a checkout has not built yet or not anew.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Output } from './output.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = `${root}dist/screen`
const stamp = `${root}dist/screen.stamp`
const buildTool = `${root}tools/build.ts`
const sources = `${root}src/screen`
const kernel = `${root}dist/kernel/decoder.wasm`
const kernelStamp = `${root}dist/kernel/stamp`
const kernelSources = [
  `${root}src/wire/assembly`,
  `${root}src/engine/kernel/assembly`,
  `${root}src/engine/kernel/layout.ts`,
]
const kernelCompiler = `${root}node_modules/assemblyscript`

/** The folder with the screen's index.html; null when there is none and none can be built (the API works without). */
export async function screenFolder(out: Output): Promise<string | null> {
  // An installed package brings the built screen along and no sources.
  if (existsSync(buildTool) && existsSync(sources)) {
    const outdated = [...(isScreenFresh() ? [] : ['the dashboard']), ...(isKernelFresh() ? [] : ['the fast decoder'])]
    if (outdated.length > 0) {
      const what = outdated.join(' and ')
      const first = !existsSync(`${folder}/index.html`) || !existsSync(kernel)
      out.say(
        first
          ? `building ${what} once (npm run build), as this checkout has none yet`
          : `building ${what} again: the sources have changed`,
      )
      const failure = await build(out)
      if (failure !== null) out.warn(`${what} could not be built (${failure}): npm run build shows why`)
    }
  }
  if (existsSync(`${folder}/index.html`)) return folder
  out.warn(
    'there is no dashboard: only the API is served. npm ci (with development packages) and npm run build make it',
  )
  return null
}

function isScreenFresh(): boolean {
  return isFresh(`${folder}/index.html`, stamp, [sources, `${root}src/serve/contract.ts`])
}
/** Without its compiler (npm ci --omit=dev) it is left as it is: records are decoded by JSON.parse then. */
function isKernelFresh(): boolean {
  return !existsSync(kernelCompiler) || isFresh(kernel, kernelStamp, kernelSources)
}
/** Is it there, and none of its sources newer than the last build? Looks at times only: a start must not wait. */
function isFresh(built: string, builtStamp: string, inputs: readonly string[]): boolean {
  if (!existsSync(built) || !existsSync(builtStamp)) return false
  const builtMs = statSync(builtStamp).mtimeMs
  const files = inputs.flatMap((input) =>
    input.endsWith('.ts')
      ? [input]
      : readdirSync(input, { recursive: true, withFileTypes: true }).map(
          (entry) => `${entry.parentPath}/${entry.name}`,
        ),
  )
  return files.every((path) => !existsSync(path) || statSync(path).mtimeMs <= builtMs)
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
