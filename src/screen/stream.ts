// The way to the server: one stream of server-sent events, opened again after a pause whenever it is lost.
import type { Channel, FrameOf } from './figures.ts'

export type Link =
  | { readonly state: 'connecting' | 'open' }
  | { readonly state: 'lost'; readonly retryAtMs: number; readonly stopping: boolean }

export interface Stream {
  close(): void
}
const channels: readonly Channel[] = ['kpis', 'series', 'topProducts', 'salesEvents', 'status']
const retryMs = 2_000
const jitterMs = 1_000

/** `onFrame` gets frames as they come, `onLink` every change of the connection. */
export function openStream(
  onFrame: <C extends Channel>(channel: C, frame: FrameOf[C]) => void,
  onLink: (link: Link) => void,
): Stream {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopping = false

  const open = (): void => {
    onLink({ state: 'connecting' })
    source = new EventSource('/api/v1/live')
    source.onopen = () => {
      stopping = false
      onLink({ state: 'open' })
    }
    // Not left to EventSource: it gives up for ever after an answer like 503, and does not say when it tries again.
    source.onerror = () => {
      source?.close()
      const waitMs = retryMs + Math.random() * jitterMs
      timer = setTimeout(open, waitMs)
      onLink({ state: 'lost', retryAtMs: performance.now() + waitMs, stopping })
    }
    source.addEventListener('bye', () => {
      stopping = true
    })
    for (const channel of channels)
      source.addEventListener(channel, (event: MessageEvent<string>) => onFrame(channel, JSON.parse(event.data)))
  }
  open()
  return {
    close() {
      clearTimeout(timer)
      source?.close()
    },
  }
}
