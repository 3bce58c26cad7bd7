// Logins and TLS of commands that speak to a Kafka cluster, from the environment: passwords have no place on a command line.
//
//   KAFKA_SECURITY_PROTOCOL   PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; if not given, what the others say
//   KAFKA_SASL_MECHANISM      PLAIN, SCRAM-SHA-256 (default) or SCRAM-SHA-512
//   KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD
//   KAFKA_SSL_CA              PEM file: authorities of the brokers' certificates (default: those of the system)
//   KAFKA_SSL_CERT, KAFKA_SSL_KEY   PEM files: what we show, where brokers ask for it
import { readFileSync } from 'node:fs'
import { type KafkaAccess, saslMechanisms } from '../connect/kafka-access.ts'
import { CommandError, exitCodes } from './errors.ts'

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
type Environment = Readonly<Record<string, string | undefined>>

/** Throws a CommandError for what does not go together, and for files that cannot be read. */
export function accessFromEnvironment(environment: Environment = process.env): KafkaAccess {
  const given = (name: string): string | null => environment[name] || null
  const protocol = given('KAFKA_SECURITY_PROTOCOL')?.toUpperCase() ?? null
  if (protocol !== null && !protocols.includes(protocol)) {
    throw wrong('KAFKA_SECURITY_PROTOCOL', protocol, `write one of ${protocols.join(', ')}`)
  }
  const [ca, certificate, key] = ['KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'].map(given)
  const hasTls = protocol === null ? (ca ?? certificate ?? key) != null : protocol.endsWith('SSL')
  const username = given('KAFKA_SASL_USERNAME')
  const hasLogin = protocol === null ? username !== null : protocol.startsWith('SASL')
  if ((certificate == null) !== (key == null)) {
    throw wrong('KAFKA_SSL_CERT', certificate ?? '', 'give the certificate and its key, KAFKA_SSL_KEY')
  }
  return {
    tls: hasTls
      ? {
          ca: ca == null ? null : pem('KAFKA_SSL_CA', ca),
          shown:
            certificate == null || key == null
              ? null
              : { certificate: pem('KAFKA_SSL_CERT', certificate), key: pem('KAFKA_SSL_KEY', key) },
        }
      : null,
    sasl: hasLogin ? loginOf(given, username) : null,
  }
}
function loginOf(given: (name: string) => string | null, username: string | null): KafkaAccess['sasl'] {
  const password = given('KAFKA_SASL_PASSWORD')
  if (username === null) throw wrong('KAFKA_SASL_USERNAME', '', 'give it and KAFKA_SASL_PASSWORD')
  if (password === null) throw wrong('KAFKA_SASL_PASSWORD', '', `give the password of ${username}`)
  const wanted = given('KAFKA_SASL_MECHANISM')?.toUpperCase() ?? 'SCRAM-SHA-256'
  const mechanism = saslMechanisms.find((each) => each === wanted)
  if (mechanism === undefined) throw wrong('KAFKA_SASL_MECHANISM', wanted, `write one of ${saslMechanisms.join(', ')}`)
  return { mechanism, username, password }
}
function pem(name: string, path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new CommandError(
      exitCodes.notFound,
      {
        what: 'the file cannot be read',
        where: `${name} (environment)`,
        value: path,
        cause: error instanceof Error ? error.message : String(error),
      },
      { cause: error },
    )
  }
}
function wrong(name: string, value: string, cure: string): CommandError {
  const what = value === '' ? 'it is missing' : 'it cannot be used'
  return new CommandError(exitCodes.usage, { what, where: `${name} (environment)`, value, cure })
}
