// The flags of the broker, shared by `millrace broker` and `millrace start`: where it listens, where its data is, who may in.
import type { Command } from 'commander'
import type { BrokerSettings } from '../platform/broker-alone.ts'
import { parsePort } from './amounts.ts'
import { durabilityOption } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import { type ListenFlags, listenersOf, parseMechanisms } from './listeners.ts'
import type { Output } from './output.ts'
import { dataDirOf } from './terminal.ts'
import { readUsers } from './users-file.ts'

export interface BrokerFlags extends ListenFlags {
  readonly dataDir?: string
  readonly ephemeral?: true
  readonly durability: BrokerSettings['durability']
  readonly users?: string
  readonly superUser?: readonly string[]
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Where it listens and keeps its data. */
export function placeOptions(command: Command): Command {
  return command
    .option('--kafka-port <port>', 'Kafka clients; 0 picks a free one', (text) => parsePort('--kafka-port', text), 9092)
    .option('--host <address>', 'address to listen on', process.env.HOST || '127.0.0.1')
    .option('--data-dir <folder>', 'where the data is kept (default: MILLRACE_DATA_DIR or ./.millrace)')
    .option('--ephemeral', 'keep the data in memory and forget it at the end')
    .addOption(durabilityOption())
}

/** Who may in, and what they may. */
export function accessOptions(command: Command): Command {
  return command
    .option(
      '--listen <listener>',
      'for Kafka clients, instead of --host and --kafka-port: host:port, or like SASL_SSL://0.0.0.0:9093; several times for several',
      several,
    )
    .option(
      '--advertise <listener>',
      'where clients are told to connect to: host:port, or like SASL_SSL://shop.example:9093',
      several,
    )
    .option('--tls-cert <file>', 'PEM certificate: clients connect by TLS')
    .option('--tls-key <file>', 'PEM key of the certificate')
    .option('--tls-client-ca <file>', 'PEM: clients must show a certificate of this authority')
    .option(
      '--sasl [mechanisms]',
      'clients must log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 (default: all that are safe there)',
      parseMechanisms,
    )
    .option('--users <file>', 'who may log in: lines of name:password, readable by you alone (chmod 600)')
    .option('--super-user <name>', 'may do everything; turns access control on; several times for several', several)
    .option('--insecure', 'serve other machines without authentication, or take passwords without TLS')
}

/** Reads the files that the flags name. Throws a CommandError for flags that contradict each other. */
export function brokerSettings(
  flags: BrokerFlags,
  out: Output,
): Pick<BrokerSettings, 'dataDir' | 'durability' | 'listeners' | 'users' | 'superUsers'> {
  if (flags.ephemeral && flags.dataDir !== undefined)
    throw new CommandError(exitCodes.usage, {
      what: '--ephemeral and --data-dir contradict each other',
      cause: 'ephemeral data is kept nowhere',
      cure: 'leave one of them out',
    })
  const listeners = listenersOf(flags, out)
  if (flags.users !== undefined && !listeners.some(({ sasl }) => sasl !== undefined))
    throw new CommandError(exitCodes.usage, {
      what: '--users is given, and no listener asks for a login',
      cause: 'without --sasl nobody has to say who they are',
      cure: 'add --sasl, or leave --users out',
    })
  return {
    dataDir: flags.ephemeral ? null : dataDirOf(flags.dataDir),
    durability: flags.durability,
    listeners,
    users: flags.users === undefined ? [] : readUsers(flags.users),
    superUsers: flags.superUser ?? [],
  }
}
