// Which page is shown: the path of the address, and its query. Links within the house change the address without a load.
export interface Place {
  readonly path: string
  readonly query: ReadonlyMap<string, string>
}

function here(): Place {
  return { path: location.pathname, query: new Map(new URLSearchParams(location.search)) }
}

function createRoute() {
  let place = $state.raw<Place>(here())
  addEventListener('popstate', () => {
    place = here()
  })
  const go = (address: string, replace = false): void => {
    if (replace) history.replaceState(null, '', address)
    else history.pushState(null, '', address)
    place = here()
    if (!replace) scrollTo(0, 0)
  }
  return {
    get place() {
      return place
    },
    go,
    /** For `onclick` of a link: other buttons and keys keep their meaning. */
    follow(event: MouseEvent): void {
      const link = event.target instanceof Element ? event.target.closest('a') : null
      if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
        return
      event.preventDefault()
      go(link.href)
    },
    /** The same page with other words in its query; null takes one away. */
    with(changes: Readonly<Record<string, string | null>>): string {
      const query = new URLSearchParams(location.search)
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) query.delete(name)
        else query.set(name, value)
      }
      const text = query.toString()
      return text === '' ? location.pathname : `${location.pathname}?${text}`
    },
  }
}
export const route = createRoute()
