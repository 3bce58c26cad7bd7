// Tells addresses that only this machine can reach from all others.

/** A name or an address as people give it to listen on or to connect to. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
