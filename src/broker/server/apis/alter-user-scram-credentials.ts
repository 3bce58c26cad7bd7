// AlterUserScramCredentials 0 (key 51): sets and removes credentials, each user on its own, answered when that is durable. The
// client sends the salted password; what is kept is the verifier made from it.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { wordOf } from '../../security/access-codes.ts'
import {
  type CredentialSetting,
  type Credentials,
  credentialName,
  credentialSetting,
  noCredentialSetting,
  userNameMax,
  usersMax,
} from '../../security/credentials.ts'
import { iterationsMax, iterationsMin, keyBytes, verifierOfSalted } from '../../security/scram.ts'
import { mayOnCluster } from '../allowed.ts'
import { scramCodes } from '../scram-codes.ts'
import { type Asking, refusal, shortened } from '../serving.ts'

type Request = RequestOf<'alterUserScramCredentials'>
interface Problem {
  readonly errorCode: number
  readonly errorMessage: string | null
}
const saltBytesMax = 1_024
/** Of one request: more would hold the event loop while their verifiers are made. */
const usersInRequestMax = 1_000

export async function alterUserScramCredentials(
  request: Request,
  asking: Asking,
): Promise<ResponseTo<'alterUserScramCredentials'>> {
  const { deletions, upsertions } = request
  const users = [...new Set([...deletions, ...upsertions].map(({ name }) => name))]
  const all = (problem: Problem) => ({ results: users.map((user) => ({ user, ...problem })) })
  if (!mayOnCluster(asking, 'alter')) {
    return all({ errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null })
  }
  if (users.length > usersInRequestMax) return all(unacceptable(`${usersInRequestMax} users in a request at most`))
  const { security, core } = asking.serving
  const { credentials } = security
  const changes: CredentialSetting[] = []
  let usersLeft = usersMax - credentials.users().length
  const problems = new Map<string, Problem>()
  for (const user of users) {
    const planned = changesFor(credentials, user, request)
    if (!Array.isArray(planned)) {
      problems.set(user, planned)
      continue
    }
    if (!credentials.has(user) && usersLeft-- <= 0) {
      problems.set(user, unacceptable(`${usersMax} users are kept at most`))
      continue
    }
    changes.push(...planned)
  }
  try {
    await core.settings.set(changes)
  } catch (error) {
    for (const user of users) if (!problems.has(user)) problems.set(user, refusal(error))
  }
  const done: Problem = { errorCode: kafkaErrors.NONE, errorMessage: null }
  return { results: users.map((user) => ({ user, ...(problems.get(user) ?? done) })) }
}

const unacceptable = (message: string): Problem => ({
  errorCode: kafkaErrors.UNACCEPTABLE_CREDENTIAL,
  errorMessage: shortened(message),
})

const unknownMechanism: Problem = {
  errorCode: kafkaErrors.UNSUPPORTED_SASL_MECHANISM,
  errorMessage: 'Unknown SCRAM mechanism',
}
const changedTwice: Problem = {
  errorCode: kafkaErrors.DUPLICATE_RESOURCE,
  errorMessage: 'a credential of a user is changed once in a request',
}

/** All of a user's changes, or why there can be none of them. */
function changesFor(
  credentials: Credentials,
  user: string,
  { deletions, upsertions }: Request,
): CredentialSetting[] | Problem {
  if (user === '') return unacceptable('a user has a name')
  if (user.length > userNameMax) return unacceptable(`a name of more than ${userNameMax} characters`)
  if (credentials.isGiven(user))
    return unacceptable('this user is set by the file of users that the broker was started with')
  const changes = new Map<string, CredentialSetting>()
  for (const { name, mechanism: code } of deletions) {
    if (name !== user) continue
    const mechanism = wordOf(scramCodes, code)
    if (mechanism === null) return unknownMechanism
    if (changes.has(credentialName(user, mechanism))) return changedTwice
    if (credentials.verifier(user, mechanism) === null) {
      return { errorCode: kafkaErrors.RESOURCE_NOT_FOUND, errorMessage: 'there is no such credential to remove' }
    }
    changes.set(credentialName(user, mechanism), noCredentialSetting(user, mechanism))
  }
  for (const { name, mechanism: code, iterations, salt, saltedPassword } of upsertions) {
    if (name !== user) continue
    const mechanism = wordOf(scramCodes, code)
    if (mechanism === null) return unknownMechanism
    if (changes.has(credentialName(user, mechanism))) return changedTwice
    if (iterations < iterationsMin) return unacceptable(`too few iterations: at least ${iterationsMin}`)
    if (iterations > iterationsMax) return unacceptable(`too many iterations: at most ${iterationsMax}`)
    if (salt.length === 0 || salt.length > saltBytesMax) return unacceptable(`a salt has 1 to ${saltBytesMax} bytes`)
    if (saltedPassword.length !== keyBytes(mechanism)) {
      return unacceptable(`a salted password of ${mechanism} has ${keyBytes(mechanism)} bytes`)
    }
    const verifier = verifierOfSalted(mechanism, saltedPassword, salt, iterations)
    changes.set(credentialName(user, mechanism), credentialSetting(user, mechanism, verifier))
  }
  return [...changes.values()]
}
