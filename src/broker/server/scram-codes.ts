// Kafka's numbers for the SCRAM mechanisms (KIP-554).
import type { ScramMechanism } from '../security/scram.ts'

export const scramCodes: Readonly<Record<ScramMechanism, number>> = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 }
