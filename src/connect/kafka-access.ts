// How a Kafka cluster is reached: by TLS or not, and with which login. The same for its `Log`, for producers and for questions.
import type { ClientTls } from '../world/world.ts'

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type SaslMechanism = (typeof saslMechanisms)[number]
export interface SaslLogin {
  readonly mechanism: SaslMechanism
  readonly username: string
  readonly password: string
}
export interface KafkaAccess {
  /** Null: the connection can be read by whoever is in between. */
  readonly tls: ClientTls | null
  readonly sasl: SaslLogin | null
}
export const openAccess: KafkaAccess = { tls: null, sasl: null }

/** What the client library takes for it. */
export function libraryAccess({ tls, sasl }: KafkaAccess): {
  tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer }
  sasl?: SaslLogin
} {
  const pem = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  const tlsOf = (given: ClientTls): { ca?: Buffer; cert?: Buffer; key?: Buffer } => ({
    ...(given.ca === null ? {} : { ca: pem(given.ca) }),
    ...(given.shown === null ? {} : { cert: pem(given.shown.certificate), key: pem(given.shown.key) }),
  })
  return { ...(tls === null ? {} : { tls: tlsOf(tls) }), ...(sasl === null ? {} : { sasl }) }
}
