// Fetch sessions over the wire (KIP-227): what is remembered, what is told, epochs, and who makes room for whom.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { partitionId } from '../../std/units.ts'
import { kafkaErrors, type RequestOf, type ResponseOf } from '../../wire/wire.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { kafkaServerLimits } from './limits.ts'
import { batch, fetchDefaults, opened, world } from './server.suite.ts'

const zeroId: Uint8Array = new Uint8Array(16)
type Wanted = readonly [topic: string, partition: number, fetchOffset: number]
interface Session {
  readonly sessionId: number
  readonly sessionEpoch: number
}
const topicsOf = (wanted: readonly Wanted[], topicId = zeroId) =>
  wanted.map(([topic, partition, fetchOffset]) => ({
    topic,
    topicId,
    partitions: [{ ...fetchDefaults, partition, fetchOffset, partitionMaxBytes: 1 << 20 }],
  }))
const asking = (session: Session, wanted: readonly Wanted[], more: object = {}) => ({
  ...session,
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1 << 20,
  topics: topicsOf(wanted),
  ...more,
})
const told = ({ responses }: ResponseOf<'fetch'>): string[] =>
  responses.flatMap(({ topic, partitions }) =>
    partitions.map(({ partitionIndex, records, errorCode }) => {
      const found = (records?.length ?? 0) > 0 ? 'records' : 'nothing'
      const what = errorCode === 0 ? found : `error ${errorCode}`
      return `${topic}/${partitionIndex} ${what}`
    }),
  )

async function withTopics() {
  const all = await opened()
  await all.core.createTopic({ name: 'a', partitions: 3 })
  await all.core.createTopic({ name: 'b', partitions: 1 })
  return all
}

test('a session: all is told at first, then what has changed; partitions come, move on and are forgotten', async () => {
  for (const version of [7, 11, 12]) {
    const { core, client } = await withTopics()
    const ask = (session: Session, wanted: readonly Wanted[], more: object = {}) =>
      client.ask('fetch', version, asking(session, wanted, more))
    const first = await ask({ sessionId: 0, sessionEpoch: 0 }, [
      ['a', 0, 0],
      ['a', 1, 0],
      ['b', 0, 0],
    ])
    const { sessionId } = first
    assert.ok(sessionId > 0)
    assert.deepEqual(told(first), ['a/0 nothing', 'a/1 nothing', 'b/0 nothing'])
    assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 1 }, [])), [])
    await core.append('a', partitionId(1), batch(['x']))
    assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 2 }, [])), ['a/1 records'])
    // It has not moved on, so it gets the same again; then it does.
    assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 3 }, [])), ['a/1 records'])
    assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 4 }, [['a', 1, 1]])), [])
    assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 5 }, [['a', 2, 0]])), ['a/2 nothing'])
    await core.append('b', partitionId(0), batch(['y']))
    await core.append('a', partitionId(2), batch(['z']))
    const forgottenTopicsData = [{ topic: 'b', topicId: zeroId, partitions: [0, 7] }]
    assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 6 }, [], { forgottenTopicsData })), ['a/2 records'])
    // What is forgotten last leaves no session behind.
    const rest = [{ topic: 'a', topicId: zeroId, partitions: [0, 1, 2] }]
    const end = await ask({ sessionId, sessionEpoch: 7 }, [], { forgottenTopicsData: rest })
    assert.deepEqual([end.sessionId, end.errorCode, told(end)], [0, 0, []])
    const over = await ask({ sessionId, sessionEpoch: 8 }, [])
    assert.equal(over.errorCode, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  }
})

test('by topic id; a session keeps to names or to ids', async () => {
  const { core, client } = await withTopics()
  const { id } = core.topic('a')!
  const byId = (wanted: readonly Wanted[]) => ({ topics: topicsOf(wanted, id) })
  const first = await client.ask('fetch', 18, asking({ sessionId: 0, sessionEpoch: 0 }, [], byId([['', 0, 0]])))
  assert.equal(first.responses.length, 1)
  await core.append('a', partitionId(0), batch(['x']))
  const { sessionId } = first
  const wrong = await client.ask('fetch', 12, asking({ sessionId, sessionEpoch: 1 }, []))
  assert.equal(wrong.errorCode, kafkaErrors.FETCH_SESSION_TOPIC_ID_ERROR)
  const next = await client.ask('fetch', 18, asking({ sessionId, sessionEpoch: 1 }, []))
  assert.deepEqual(Buffer.from(next.responses[0]!.topicId), Buffer.from(id))
  // An id that means nothing is told each time, and found again once it means something.
  const unknown = [{ ...topicsOf([['', 0, 0]])[0]!, topicId: new Uint8Array(16).fill(9) }]
  for (let sessionEpoch = 2; sessionEpoch < 4; sessionEpoch++) {
    const more = { topics: sessionEpoch === 2 ? unknown : [], forgottenTopicsData: [] }
    const { responses } = await client.ask('fetch', 18, asking({ sessionId, sessionEpoch }, [], more))
    const errors = responses.map(({ partitions }) => partitions[0]!.errorCode)
    assert.ok(errors.includes(kafkaErrors.UNKNOWN_TOPIC_ID), `epoch ${sessionEpoch}`)
  }
})

test('epochs: a wrong one, an unknown session, an end, a new beginning in place of the old', async () => {
  const { server, client } = await withTopics()
  const ask = (session: Session, wanted: readonly Wanted[] = []) => client.ask('fetch', 11, asking(session, wanted))
  const { sessionId } = await ask({ sessionId: 0, sessionEpoch: 0 }, [['a', 0, 0]])
  const wrong = await ask({ sessionId, sessionEpoch: 2 })
  assert.deepEqual([wrong.errorCode, wrong.sessionId], [kafkaErrors.INVALID_FETCH_SESSION_EPOCH, 0])
  const unknown = await ask({ sessionId: sessionId === 5 ? 6 : 5, sessionEpoch: 1 })
  assert.equal(unknown.errorCode, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal((await ask({ sessionId, sessionEpoch: 1 })).errorCode, 0)
  const again = await ask({ sessionId, sessionEpoch: 0 }, [['a', 1, 0]])
  assert.ok(again.sessionId > 0 && again.sessionId !== sessionId)
  assert.equal((await ask({ sessionId, sessionEpoch: 2 })).errorCode, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  const end = await ask({ sessionId: again.sessionId, sessionEpoch: -1 }, [['a', 1, 0]])
  assert.deepEqual([end.errorCode, end.sessionId, told(end)], [0, 0, ['a/1 nothing']])
  const gone = await ask({ sessionId: again.sessionId, sessionEpoch: 1 })
  assert.equal(gone.errorCode, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  assert.equal(server.connections, 1)
})

test('an error is told each time; when it is over, that is told too', async () => {
  const { core, client } = await opened()
  const ask = (session: Session, wanted: readonly Wanted[] = []) => client.ask('fetch', 11, asking(session, wanted))
  const first = await ask({ sessionId: 0, sessionEpoch: 0 }, [['late', 0, 0]])
  assert.deepEqual(told(first), ['late/0 error 3'])
  const { sessionId } = first
  assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 1 })), ['late/0 error 3'])
  await core.createTopic({ name: 'late', partitions: 1 })
  assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 2 })), ['late/0 nothing'])
  assert.deepEqual(told(await ask({ sessionId, sessionEpoch: 3 })), [])
  core.setStart('late', 0, 0)
})

test('each partition has its turn: who gave records last comes last', async () => {
  const { core, client } = await withTopics()
  for (const id of [0, 1, 2]) await core.append('a', partitionId(id), batch(['x'.repeat(1_000)]))
  const wanted: Wanted[] = [0, 1, 2].map((id) => ['a', id, 0])
  const narrow = { maxBytes: 1 }
  const first = await client.ask('fetch', 11, asking({ sessionId: 0, sessionEpoch: 0 }, wanted, { maxBytes: 1 }))
  const turns: (number | undefined)[] = []
  for (let sessionEpoch = 1; sessionEpoch <= 6; sessionEpoch++) {
    const session = { sessionId: first.sessionId, sessionEpoch }
    const { responses } = await client.ask('fetch', 11, asking(session, [], narrow))
    const full = responses.flatMap(({ partitions }) => partitions).filter(({ records }) => (records?.length ?? 0) > 0)
    assert.equal(full.length, 1)
    turns.push(full[0]?.partitionIndex)
  }
  assert.deepEqual(turns, [0, 1, 2, 0, 1, 2])
})

test('a long poll of a session is answered when one of its partitions has news', async () => {
  const { core, client } = await withTopics()
  const first = await client.ask('fetch', 11, asking({ sessionId: 0, sessionEpoch: 0 }, [['b', 0, 0]]))
  const session = { sessionId: first.sessionId, sessionEpoch: 1 }
  client.send('fetch', 11, asking(session, [], { maxWaitMs: 30_000, minBytes: 1 }))
  await world.clock.sleep(10)
  await core.append('b', partitionId(0), batch(['x']))
  assert.deepEqual(told((await client.answer('fetch', 11)).body), ['b/0 records'])
})

test('followers are told that they are no replicas; an epoch that never was, and one beyond the end', async () => {
  const { core, client } = await withTopics()
  await core.append('b', partitionId(0), batch(['x']))
  const errorOf = async (version: number, more: object, partition: object) => {
    const topicId = version >= 13 ? core.topic('b')!.id : zeroId
    const partitions = [{ ...fetchDefaults, partition: 0, fetchOffset: 0, partitionMaxBytes: 1, ...partition }]
    const body = asking({ sessionId: 0, sessionEpoch: -1 }, [], { topics: [{ topic: 'b', topicId, partitions }] })
    const { responses } = await client.ask('fetch', version, { ...body, ...more })
    return responses[0]!.partitions[0]!
  }
  const replicaState = { replicaId: 2, replicaEpoch: 1 }
  assert.equal((await errorOf(14, { replicaId: 2 }, {})).errorCode, kafkaErrors.NOT_LEADER_OR_FOLLOWER)
  assert.equal((await errorOf(17, { replicaState }, {})).errorCode, kafkaErrors.NOT_LEADER_OR_FOLLOWER)
  assert.equal((await errorOf(11, { replicaId: -2 }, {})).errorCode, 0)
  assert.equal((await errorOf(12, {}, { currentLeaderEpoch: 1 })).errorCode, kafkaErrors.UNKNOWN_LEADER_EPOCH)
  assert.equal((await errorOf(12, {}, { lastFetchedEpoch: 1 })).errorCode, kafkaErrors.OFFSET_OUT_OF_RANGE)
  assert.equal((await errorOf(12, {}, { fetchOffset: 5 })).errorCode, kafkaErrors.OFFSET_OUT_OF_RANGE)
  const diverging = await errorOf(12, {}, { fetchOffset: 5, lastFetchedEpoch: 0 })
  assert.deepEqual([diverging.errorCode, diverging.divergingEpoch], [0, { epoch: 0, endOffset: 1 }])
})

/** Straight at the sessions, with a clock of our own. */
function sessionsWith(limits: object) {
  let nowMs = 0
  const clock = { ...world.clock, monoMs: () => nowMs }
  const sessions = new FetchSessions(clock, randomStream('sessions'), { ...kafkaServerLimits, ...limits })
  const request = (session: Session, partitions: number): RequestOf<'fetch'> => ({
    ...asking(session, []),
    topics: [
      {
        topic: 't',
        topicId: zeroId,
        partitions: Array.from({ length: partitions }, (_, partition) => ({
          ...fetchDefaults,
          partition,
          fetchOffset: 0,
          partitionMaxBytes: 1,
        })),
      },
    ],
    clusterId: null,
    replicaId: -1,
    replicaState: null,
    isolationLevel: 0,
    forgottenTopicsData: [],
    rackId: '',
  })
  const open = (partitions: number): number => {
    const context = sessions.begin(request({ sessionId: 0, sessionEpoch: 0 }, partitions), 11)
    assert.ok(context.kind === 'full')
    return sessions.answer(context, 11, []).sessionId
  }
  const use = (sessionId: number, sessionEpoch: number, partitions = 0) =>
    sessions.begin(request({ sessionId, sessionEpoch }, partitions), 11)
  return { sessions, open, use, wait: (ms: number) => (nowMs += ms) }
}

test('sessions are limited in number: who was not used for long makes room, or who is small and old', () => {
  const { sessions, open, use, wait } = sessionsWith({ fetchSessionsMax: 3, fetchSessionKeepMsMin: 1_000 })
  const [one, two, three] = [open(5), open(2), open(9)]
  assert.equal(open(100), 0, 'all are young')
  assert.equal(sessions.count, 3)
  wait(999)
  use(one!, 1)
  use(three!, 1)
  wait(1)
  const four = open(3)
  assert.ok(four > 0, 'two was not used for a second')
  assert.equal(use(two!, 1).kind, 'refused')
  wait(998)
  use(four, 1)
  assert.equal(open(5), 0, 'none is smaller and old enough')
  assert.ok(open(6) > 0, 'one is smaller')
  assert.equal(use(one!, 2).kind, 'refused')
  assert.equal(sessions.partitions, 3 + 9 + 6)
})

test('partitions of all sessions are limited', () => {
  const { sessions, open, use } = sessionsWith({ fetchSessionPartitionsMax: 10 })
  assert.equal(open(11), 0)
  const one = open(6)
  assert.equal(open(5), 0)
  assert.ok(open(4) > 0)
  assert.equal(sessions.partitions, 10)
  assert.equal(use(one, 1, 6).kind, 'incremental')
  const refused = use(one, 2, 7)
  assert.deepEqual(refused, { kind: 'refused', errorCode: kafkaErrors.FETCH_SESSION_ID_NOT_FOUND })
  assert.deepEqual([sessions.count, sessions.partitions], [1, 4])
})

test('no session remembers a name that is longer than any topic’s', async () => {
  const { client } = await withTopics()
  const long = 'n'.repeat(250)
  const none = await client.ask('fetch', 12, asking({ sessionId: 0, sessionEpoch: 0 }, [[long, 0, 0]]))
  assert.deepEqual([none.errorCode, none.sessionId], [kafkaErrors.NONE, 0])
  const { sessionId } = await client.ask('fetch', 12, asking({ sessionId: 0, sessionEpoch: 0 }, [['a', 0, 0]]))
  assert.ok(sessionId > 0)
  const refused = await client.ask('fetch', 12, asking({ sessionId, sessionEpoch: 1 }, [[long, 0, 0]]))
  assert.equal(refused.errorCode, kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
})

test('a partition that a request names many times is fetched once, as it says last', async () => {
  const { core, client } = await withTopics()
  await core.append('a', partitionId(0), batch(['one']))
  const wanted = [...Array.from({ length: 300 }, (): Wanted => ['a', 0, 7]), ['b', 0, 0], ['a', 0, 0]] as const
  for (const sessionEpoch of [-1, 0]) {
    const answer = await client.ask('fetch', 12, asking({ sessionId: 0, sessionEpoch }, wanted))
    assert.deepEqual(told(answer), ['a/0 records', 'b/0 nothing'])
  }
})

test('a fetch of very many partitions lets others have their turn', async () => {
  const { core, client } = await opened()
  const partitions = 20_000
  await core.createTopic({ name: 'wide', partitions })
  const wanted = Array.from({ length: partitions }, (_, i): Wanted => ['wide', i, 0])
  let isAnswered = false
  let turns = 0
  const count = (): void => {
    if (isAnswered) return
    turns++
    setImmediate(count)
  }
  const { topics, ...more } = asking({ sessionId: 0, sessionEpoch: -1 }, [])
  const [first] = topicsOf([['wide', 0, 0]])
  const all = wanted.map(([, partition]) => ({ ...first!.partitions[0]!, partition }))
  const look = core.offsets.bind(core)
  let looks = 0
  core.offsets = (topic, partition) => {
    if (++looks === 1) setImmediate(count)
    if (looks === partitions) isAnswered = true
    return look(topic, partition)
  }
  const { responses } = await client.ask('fetch', 11, { ...more, topics: [...topics, { ...first!, partitions: all }] })
  assert.equal(responses[0]?.partitions.length, partitions)
  assert.ok(turns >= 5, `${turns} turns of the loop meanwhile`)
})
