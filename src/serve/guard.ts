// Who may ask, and what every answer says to browsers: host and origin checks against rebinding and forgery, and the
// security headers. A page of another site can neither read the figures nor start anything.
import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '../std/loopback.ts'
import { ProblemError } from './problems.ts'

/** On every answer, errors and streams included. No inline script or style, nothing from elsewhere, no framing. */
export const securityHeaders: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
})

/** The name in a Host header or an authority, without port and brackets; null when it is not one. */
function nameOf(authority: string): string | null {
  const found = /^(?:\[([0-9a-f:]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(authority)
  return (found?.[1] ?? found?.[2])?.toLowerCase() ?? null
}

/**
 * Throws unless the request was meant for us (Host is a name we serve; any port, so that a forwarded port works) and
 * does not come from a page of another site. Programs send neither Origin nor Sec-Fetch-Site; browsers cannot leave
 * both out when they write or stream across sites. A link that leads to the page from elsewhere is a navigation: fine.
 */
export function guardRequest(method: string, headers: IncomingHttpHeaders, names: ReadonlySet<string>): void {
  const host = headers.host ?? ''
  const name = nameOf(host)
  if (name === null || !(names.has(name) || isLoopback(name)))
    throw new ProblemError(
      'host-not-allowed',
      'The Host header names a host that is not served here.',
      'Use the URL that Millrace printed when it started.',
    )
  const origin = headers.origin
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    throw new ProblemError(
      'origin-not-allowed',
      'The Origin header names another site.',
      'Ask from the page itself, or from a program.',
    )
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  const navigation =
    method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  if (!navigation) throw new ProblemError('origin-not-allowed', 'The request comes from a page of another site.', null)
}
