// CreatePartitions 0-3 (key 37): more partitions for topics, each topic on its own, or only a look whether it could be
// (validateOnly). The new ones lie on the only broker; an assignment by hand must say the same. Not for topics that a job of
// the house reads at the time: its windows are kept by partition (POLICY_VIOLATION).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { cannotWrite, isOfTheHouse } from '../house-topics.ts'
import { mayChange, tooManyChanges } from '../mutations.ts'
import { type Asking, refusal, shortened } from '../serving.ts'

type TopicRequest = RequestOf<'createPartitions'>['topics'][number]
interface Problem {
  readonly errorCode: number
  readonly errorMessage: string | null
}
/** The error of the quota on changes. */
const quotaErrorSince = 3
const none: Problem = { errorCode: kafkaErrors.NONE, errorMessage: null }

export async function createPartitions(
  { topics, validateOnly }: RequestOf<'createPartitions'>,
  asking: Asking,
): Promise<ResponseTo<'createPartitions'>> {
  const times = new Map<string, number>()
  for (const { name } of topics) times.set(name, (times.get(name) ?? 0) + 1)
  const byName = new Map(topics.map((topic) => [topic.name, topic]))
  const results = [...times].map(async ([name, count]) => {
    const topic = byName.get(name)
    if (topic === undefined || count > 1) {
      return {
        name,
        errorCode: kafkaErrors.INVALID_REQUEST,
        errorMessage: shortened(`${name} stands here ${count} times`),
      }
    }
    const { errorCode, errorMessage } = await grown(asking, topic, validateOnly)
    return { name, errorCode, errorMessage: errorMessage === null ? null : shortened(errorMessage) }
  })
  return { results: await Promise.all(results) }
}

async function grown(asking: Asking, request: TopicRequest, validateOnly: boolean): Promise<Problem> {
  const { serving, may } = asking
  const { core, topics } = serving
  const { name, count, assignments } = request
  if (!may('alter', 'topic', name)) return { errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED, errorMessage: null }
  const { topic, errorCode } = topics.byName(name)
  if (topic === null) return { errorCode, errorMessage: `there is no topic ${name}` }
  if (isOfTheHouse(core, name)) return cannotWrite(name)
  const job = core.jobOn(name)
  if (job !== null) {
    const errorMessage = `job ${job} reads ${name} with ${topic.partitions} partitions as long as it runs: stop it first`
    return { errorCode: kafkaErrors.POLICY_VIOLATION, errorMessage }
  }
  if (count <= topic.partitions) {
    const errorMessage =
      count === topic.partitions
        ? `topic already has ${count} partition(s)`
        : `topic ${name} has ${topic.partitions} partition(s); ${count} would not be an increase`
    return { errorCode: kafkaErrors.INVALID_PARTITIONS, errorMessage }
  }
  if (assignments !== null) {
    const added = count - topic.partitions
    const here = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === core.nodeId)
    if (assignments.length !== added || !here) {
      const errorMessage = `assign each of the ${added} new partitions to broker ${core.nodeId} alone, not ${assignments.length}`
      return { errorCode: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, errorMessage }
    }
  }
  if (validateOnly) return none
  if (!mayChange(asking, count - topic.partitions, quotaErrorSince)) return tooManyChanges
  try {
    await core.addPartitions(name, count)
    return none
  } catch (error) {
    return refusal(error)
  }
}
