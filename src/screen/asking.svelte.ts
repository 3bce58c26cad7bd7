// Answers of the API that a page shows: asked again every few seconds while it is seen, the last good one kept on failure.
import { page } from './page.svelte.ts'

const againMs = 2_000

export interface Asked<T> {
  /** The last good answer; null before the first. */
  readonly data: T | null
  /** Why the last question failed; null: it did not. */
  readonly problem: string | null
}

/** To be called while a component is made; `path` is read again at every question, null asks nothing. */
export function asking<T>(path: () => string | null, repeat = true): Asked<T> {
  let data = $state.raw<T | null>(null)
  let problem = $state<string | null>(null)
  $effect(() => {
    const wanted = path()
    data = null
    problem = null
    if (wanted === null) return
    const work = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async (): Promise<void> => {
      try {
        const answer = await fetch(wanted, { signal: work.signal })
        const body: unknown = await answer.json()
        if (answer.ok) {
          data = body as T
          problem = null
        } else problem = detailOf(body)
      } catch (error) {
        if (work.signal.aborted) return
        problem = error instanceof Error && error.name !== 'TypeError' ? error.message : 'Millrace does not answer.'
      }
      if (repeat) timer = setTimeout(next, againMs)
    }
    const next = (): void => {
      if (document.hidden || page.paused) timer = setTimeout(next, againMs)
      else void ask()
    }
    void ask()
    return () => {
      work.abort()
      clearTimeout(timer)
    }
  })
  return {
    get data() {
      return data
    },
    get problem() {
      return problem
    },
  }
}

/** A problem's own words (RFC 9457). */
export function detailOf(body: unknown): string {
  const { detail, cure } = body as { readonly detail?: string; readonly cure?: string | null }
  return [detail ?? 'The answer is not understood.', cure ?? ''].join(' ').trim()
}
