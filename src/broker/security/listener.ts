// What a listener asks of those who connect, and which listeners are refused: an address that others can reach needs
// authentication, and passwords that come as they are need TLS, unless somebody says that it is meant so.
import { isLoopback } from '../../std/loopback.ts'
import type { ServerTls } from '../../world/world.ts'
import { type SaslMechanism, type SaslSettings, saslMechanisms } from './sasl.ts'

export interface ListenerSettings {
  readonly host: string
  /** 0 picks one. */
  readonly port: number
  /** What clients are told to connect to; if not given, where each client already did. */
  readonly advertised?: { readonly host: string; readonly port: number }
  /** PEM. With `clientCa` whoever connects must show a certificate of that authority. */
  readonly tls?: Pick<ServerTls, 'certificate' | 'key'> & { readonly clientCa?: Uint8Array }
  /** Clients must log in, by one of these; `[]`: by any that is safe here (PLAIN on loopback and over TLS only). */
  readonly sasl?: readonly SaslMechanism[]
  /** A login holds so long, then the client must log in again; 0, the default: as long as the connection. */
  readonly loginMsMax?: number
  /** An address that others can reach may be served without authentication, and take passwords without TLS. */
  readonly insecure?: boolean
}

/** A listener that would be open to anybody, and was not said to be. */
export class ListenerRefused extends Error {
  override name = 'ListenerRefused'
  readonly code = 'LISTENER_REFUSED'
  readonly where: string
  override readonly cause: string
  readonly cure: string
  constructor(where: string, message: string, cause: string, cure: string) {
    super(message)
    this.where = where
    this.cause = cause
    this.cure = cure
  }
}

/** Null: nobody logs in here. Throws a ListenerRefused. */
export function saslOf(listener: ListenerSettings): SaslSettings | null {
  const { host, port, tls, sasl, insecure = false } = listener
  const where = `${host}:${port}`
  const isOpen = !isLoopback(host)
  if (isOpen && !insecure && sasl === undefined && tls?.clientCa === undefined) {
    throw new ListenerRefused(
      where,
      `the Kafka listener on ${host} would be open to anybody`,
      `other machines can reach ${host}, and nobody would have to say who they are`,
      'ask for logins (--sasl with --users) or client certificates (--tls-client-ca), stay on --host 127.0.0.1, or say --insecure',
    )
  }
  if (sasl === undefined) return null
  const isSafe = !isOpen || tls !== undefined || insecure
  if (!isSafe && sasl.includes('PLAIN')) {
    throw new ListenerRefused(
      where,
      `passwords would come to ${host} for all to read`,
      'SASL PLAIN sends them as they are, and this listener has no TLS',
      'give a certificate (--tls-cert and --tls-key), take only SCRAM (--sasl SCRAM-SHA-512), or say --insecure',
    )
  }
  const mechanisms = sasl.length > 0 ? sasl : saslMechanisms.filter((each) => each !== 'PLAIN' || isSafe)
  return { mechanisms, sessionMsMax: listener.loginMsMax ?? 0 }
}
