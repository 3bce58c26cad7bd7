// DescribeUserScramCredentials 0 (key 50): which users have credentials of which mechanism, those named or all. Neither
// salts nor keys are told.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { scramMechanisms } from '../../security/scram.ts'
import { mayOnCluster } from '../allowed.ts'
import { scramCodes } from '../scram-codes.ts'
import { type Asking, type Serving, shortened } from '../serving.ts'

type Result = ResponseTo<'describeUserScramCredentials'>['results'][number]

export function describeUserScramCredentials(
  { users }: RequestOf<'describeUserScramCredentials'>,
  asking: Asking,
): ResponseTo<'describeUserScramCredentials'> {
  if (!mayOnCluster(asking, 'describe')) {
    return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, results: [] }
  }
  const { credentials } = asking.serving.security
  const times = new Map<string, number>()
  for (const { name } of users ?? []) times.set(name, (times.get(name) ?? 0) + 1)
  const names = users === null || users.length === 0 ? credentials.users() : [...times.keys()]
  const results = names.map((user) =>
    (times.get(user) ?? 1) > 1
      ? without(user, kafkaErrors.DUPLICATE_RESOURCE, `asked for ${user} more than once`)
      : described(asking.serving, user),
  )
  return { errorCode: kafkaErrors.NONE, errorMessage: null, results }
}

function described({ security: { credentials } }: Serving, user: string): Result {
  const credentialInfos = scramMechanisms.flatMap((mechanism) => {
    const verifier = credentials.verifier(user, mechanism)
    return verifier === null ? [] : [{ mechanism: scramCodes[mechanism], iterations: verifier.iterations }]
  })
  if (credentialInfos.length === 0) {
    return without(user, kafkaErrors.RESOURCE_NOT_FOUND, `there is no SCRAM credential of ${user}`)
  }
  return { user, errorCode: kafkaErrors.NONE, errorMessage: null, credentialInfos }
}
const without = (user: string, errorCode: number, message: string): Result => ({
  user,
  errorCode,
  errorMessage: shortened(message),
  credentialInfos: [],
})
