// Light or dark: what the system prefers, unless someone chose otherwise here.
import { recall, remember } from './remember.ts'

export type Theme = 'light' | 'dark'

function preferred(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
}
export function theme(): Theme {
  const chosen = recall('theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : preferred()
}
/** Without a choice the style sheet follows the system by itself. */
export function applyTheme(): void {
  const chosen = recall('theme')
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
  else delete document.documentElement.dataset.theme
}
/** The other one. Choosing what the system prefers is no choice: the page then follows the system again. */
export function toggleTheme(): void {
  const next = theme() === 'dark' ? 'light' : 'dark'
  remember('theme', next === preferred() ? null : next)
  applyTheme()
}
