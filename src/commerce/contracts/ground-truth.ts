// What a `ground-truth` record promises: one thing the generator did on purpose, told so that detectors can be scored.
import { contract, field, nullable } from '../../query/contract.ts'

/**
 * Kinds of truth: `fault` one record made wrong; `fraud` and `bot` what somebody did over some records; `anomaly` a time in
 * which figures are not as usual; `drift` a change of the records' form.
 */
export const truthKinds = Object.freeze(['fault', 'fraud', 'bot', 'anomaly', 'drift'])

export const groundTruth = contract({
  topic: 'ground-truth',
  version: 2,
  partitions: 1,
  key: 'truth_id',
  eventTime: 'start',
  identity: 'truth_id',
  outOfOrderMs: 60_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 600_000,
  fields: {
    truth_id: field({ kind: 'string' }, 'Identity of the truth: the same seed gives the same ones.'),
    kind: field({ kind: 'string' }, 'What was done.', { rules: [{ rule: 'one-of', values: truthKinds }] }),
    scenario: field({ kind: 'string' }, 'Which of its kind, e.g. duplicate, card-testing, scraper, spike.'),
    topic: field({ kind: 'string' }, 'The topic whose records it concerns.'),
    entity_ids: field(
      { kind: 'array', of: { kind: 'string' } },
      'Whom or what it concerns: keys of the records; of fraud and bots also sessions, devices, cards, sellers.',
    ),
    event_ids: field(
      { kind: 'array', of: { kind: 'string' } },
      'Identities of those records, as they were before anything was done to them. A truth that is still going on is told again, with those so far: the newest of a truth_id counts.',
    ),
    field: nullable({ kind: 'string' }, 'The field at fault, where it is one.'),
    start: field({ kind: 'timestamp' }, 'When it began.'),
    end: field({ kind: 'timestamp' }, 'When it ended.'),
    severity: field({ kind: 'string' }, 'How grave it is.', {
      rules: [{ rule: 'one-of', values: ['low', 'medium', 'high', 'critical'] }],
    }),
    injected_at: field({ kind: 'timestamp' }, 'When the record went out, on the clock of the generator.'),
    expected_outcome: field(
      { kind: 'string' },
      'What a right platform does: duplicate, dead-letter and its reason (dead-letter:missing), late, alert, or nothing.',
    ),
  },
  doc: 'What the generator did on purpose: labels for scoring. The platform itself never reads them.',
})
