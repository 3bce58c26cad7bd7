// DeleteTopics 1-6 (key 20): by name, from version 6 on by name or id. Each topic succeeds or fails on its own.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { cannotWrite, isOfTheHouse } from '../house-topics.ts'
import { mayChange, tooManyChanges } from '../mutations.ts'
import { type Asking, refusal } from '../serving.ts'
import { isZeroId } from '../topic-directory.ts'

/** The error of the quota on changes. */
const quotaErrorSince = 5
const zeroId = new Uint8Array(16)

export async function deleteTopics(
  request: RequestOf<'deleteTopics'>,
  asking: Asking,
): Promise<ResponseTo<'deleteTopics'>> {
  const { serving, may } = asking
  const findId = serving.topics.idFinder()
  const asked = [...request.topicNames.map((name) => ({ name, topicId: zeroId })), ...request.topics]
  const responses = asked.map(async ({ name, topicId }) => {
    if (name !== null && !isZeroId(topicId)) {
      return { name, topicId, errorCode: kafkaErrors.INVALID_REQUEST, errorMessage: 'give a name or an id, not both' }
    }
    const { topic, errorCode } = name === null ? findId(topicId) : serving.topics.byName(name)
    const known = name ?? topic?.name ?? null
    if (known !== null && !may('delete', 'topic', known)) {
      // Who may not even see the topic is told no name that it did not give.
      const told = name ?? (may('describe', 'topic', known) ? known : null)
      return { name: told, topicId, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED }
    }
    if (topic === null) return { name, topicId, errorCode }
    if (isOfTheHouse(serving.core, topic.name)) {
      return { name: topic.name, topicId: topic.id, ...cannotWrite(topic.name) }
    }
    if (!mayChange(asking, topic.partitions, quotaErrorSince)) {
      return { name: topic.name, topicId: topic.id, ...tooManyChanges }
    }
    try {
      await serving.core.deleteTopic(topic.name)
      return { name: topic.name, topicId: topic.id, errorCode: kafkaErrors.NONE }
    } catch (error) {
      return { name: topic.name, topicId: topic.id, ...refusal(error) }
    }
  })
  return { responses: await Promise.all(responses) }
}
