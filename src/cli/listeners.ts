// From flags to listeners of the broker: addresses with or without Kafka's names of security protocols, certificates, logins.
import { readFileSync, statSync } from 'node:fs'
import type { ListenerSettings } from '../broker/broker.ts'
import { CommandError, exitCodes } from './errors.ts'
import type { Output } from './output.ts'

type Mechanisms = NonNullable<ListenerSettings['sasl']>
type Tls = NonNullable<ListenerSettings['tls']>

export interface ListenFlags {
  readonly kafkaPort: number
  readonly host: string
  readonly listen?: readonly string[]
  readonly advertise?: readonly string[]
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsClientCa?: string
  /** True: no mechanism was named. */
  readonly sasl?: true | Mechanisms
  readonly insecure?: true
}

const mechanisms: readonly Mechanisms[number][] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']
const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
type Protocol = (typeof protocols)[number]

/** Null: by what the other flags say. */
interface Address {
  readonly protocol: Protocol | null
  readonly host: string
  readonly port: number
}

export function parseMechanisms(text: string): Mechanisms {
  return text.split(',').map((part) => {
    const found = mechanisms.find((each) => each === part.trim().toUpperCase())
    if (found !== undefined) return found
    throw new CommandError(exitCodes.usage, {
      what: 'there is no such mechanism',
      where: '--sasl',
      value: part.trim(),
      cure: `name some of ${mechanisms.join(', ')}, or none of them for all`,
    })
  })
}

export function listenersOf(flags: ListenFlags, out: Output): readonly ListenerSettings[] {
  const tls = tlsOf(flags, out)
  const sasl = flags.sasl === true ? [] : flags.sasl
  const addresses =
    flags.listen === undefined
      ? [{ protocol: null, host: flags.host, port: flags.kafkaPort }]
      : flags.listen.map((text) => parseAddress('--listen', text))
  const advertised = (flags.advertise ?? []).map((text) => parseAddress('--advertise', text))
  const listeners = addresses.map(({ protocol, host, port }, i): ListenerSettings => {
    const byTls = protocol === null ? tls !== undefined : protocol.endsWith('SSL')
    const byLogin = protocol === null ? sasl !== undefined : protocol.startsWith('SASL')
    if (byTls && tls === undefined)
      throw new CommandError(exitCodes.usage, {
        what: `${protocol} needs a certificate`,
        where: '--listen',
        value: flags.listen?.[i] ?? '',
        cure: 'add --tls-cert and --tls-key',
      })
    const told = advertised.find((each) => each.protocol === null || each.protocol === protocol)
    return {
      host,
      port,
      ...(told === undefined ? {} : { advertised: { host: told.host, port: told.port } }),
      ...(byTls && tls !== undefined ? { tls } : {}),
      ...(byLogin ? { sasl: sasl ?? [] } : {}),
      ...(flags.insecure ? { insecure: true } : {}),
    }
  })
  if (listeners.length > 1 && advertised.some(({ protocol }) => protocol === null))
    throw new CommandError(exitCodes.usage, {
      what: '--advertise does not say for which listener it is',
      cause: 'there are several of them',
      cure: 'write it like the listener: SASL_SSL://shop.example:9093',
    })
  return listeners
}

function parseAddress(flag: string, text: string): Address {
  const parts = /^(?:([A-Za-z_]+):\/\/)?(?:\[([0-9a-fA-F:]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text)
  const protocol = parts?.[1] === undefined ? null : protocols.find((each) => each === parts[1]?.toUpperCase())
  const host = parts?.[2] ?? parts?.[3]
  const port = Number(parts?.[4])
  if (host === undefined || protocol === undefined || port > 65_535)
    throw new CommandError(exitCodes.usage, {
      what: 'it is no address to listen on',
      where: flag,
      value: text,
      cure: `write host:port, or one of ${protocols.join(', ')} before it: SASL_SSL://0.0.0.0:9093`,
    })
  return { protocol, host, port }
}

function tlsOf({ tlsCert, tlsKey, tlsClientCa }: ListenFlags, out: Output): Tls | undefined {
  if (tlsCert === undefined || tlsKey === undefined) {
    if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined
    throw new CommandError(exitCodes.usage, {
      what: 'TLS needs a certificate and its key',
      cure: 'give both --tls-cert and --tls-key',
    })
  }
  if (process.platform !== 'win32' && (statSync(tlsKey).mode & 0o007) !== 0)
    out.warn(`${tlsKey} can be read by everyone on this machine: chmod 600 ${tlsKey}`)
  return {
    certificate: readFileSync(tlsCert),
    key: readFileSync(tlsKey),
    ...(tlsClientCa === undefined ? {} : { clientCa: readFileSync(tlsClientCa) }),
  }
}
