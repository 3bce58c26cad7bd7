// From a request's bytes to the handler of its API and back: which keys and versions are served, and what is said to
// the others. Another key, or a version outside its range, closes the connection, as Kafka does.
import { assert } from '../../std/assert.ts'
import {
  type Api,
  answering,
  apis,
  type Fields,
  kafkaErrors,
  produceOfOldApi,
  type RequestHeader,
  readClientId,
  readRequestHeader,
  writeResponse,
} from '../../wire/wire.ts'
import { addOffsetsToTxn } from './apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './apis/add-partitions-to-txn.ts'
import { alterClientQuotas } from './apis/alter-client-quotas.ts'
import { alterConfigs } from './apis/alter-configs.ts'
import { alterPartitionReassignments } from './apis/alter-partition-reassignments.ts'
import { alterUserScramCredentials } from './apis/alter-user-scram-credentials.ts'
import { apiVersions } from './apis/api-versions.ts'
import { consumerGroupDescribe } from './apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from './apis/consumer-group-heartbeat.ts'
import { createAcls } from './apis/create-acls.ts'
import { createPartitions } from './apis/create-partitions.ts'
import { createTopics } from './apis/create-topics.ts'
import { deleteAcls } from './apis/delete-acls.ts'
import { deleteGroups } from './apis/delete-groups.ts'
import { deleteRecords } from './apis/delete-records.ts'
import { deleteTopics } from './apis/delete-topics.ts'
import { describeAcls } from './apis/describe-acls.ts'
import { describeClientQuotas } from './apis/describe-client-quotas.ts'
import { describeCluster } from './apis/describe-cluster.ts'
import { describeConfigs } from './apis/describe-configs.ts'
import { describeGroups } from './apis/describe-groups.ts'
import { describeLogDirs } from './apis/describe-log-dirs.ts'
import { describeProducers } from './apis/describe-producers.ts'
import { describeQuorum } from './apis/describe-quorum.ts'
import { describeTopicPartitions } from './apis/describe-topic-partitions.ts'
import { describeTransactions } from './apis/describe-transactions.ts'
import { describeUserScramCredentials } from './apis/describe-user-scram-credentials.ts'
import { electLeaders } from './apis/elect-leaders.ts'
import { endTxn } from './apis/end-txn.ts'
import { fetch } from './apis/fetch.ts'
import { findCoordinator } from './apis/find-coordinator.ts'
import { heartbeat } from './apis/heartbeat.ts'
import { incrementalAlterConfigs } from './apis/incremental-alter-configs.ts'
import { initProducerId } from './apis/init-producer-id.ts'
import { joinGroup } from './apis/join-group.ts'
import { leaveGroup } from './apis/leave-group.ts'
import { listConfigResources } from './apis/list-config-resources.ts'
import { listGroups } from './apis/list-groups.ts'
import { listOffsets } from './apis/list-offsets.ts'
import { listPartitionReassignments } from './apis/list-partition-reassignments.ts'
import { listTransactions } from './apis/list-transactions.ts'
import { metadata } from './apis/metadata.ts'
import { offsetCommit } from './apis/offset-commit.ts'
import { offsetDelete } from './apis/offset-delete.ts'
import { offsetFetch } from './apis/offset-fetch.ts'
import { offsetForLeaderEpoch } from './apis/offset-for-leader-epoch.ts'
import { produce } from './apis/produce.ts'
import { produceOfOld } from './apis/produce-of-old.ts'
import { saslAuthenticate } from './apis/sasl-authenticate.ts'
import { saslHandshake } from './apis/sasl-handshake.ts'
import { syncGroup } from './apis/sync-group.ts'
import { txnOffsetCommit } from './apis/txn-offset-commit.ts'
import { updateFeatures } from './apis/update-features.ts'
import { writeTxnMarkers } from './apis/write-txn-markers.ts'
import { type Asking, clientOf, Disconnect } from './serving.ts'

type Chunks = readonly Uint8Array[]
interface Served {
  readonly versions: { readonly min: number; readonly max: number }
  readonly answer: (frame: Uint8Array, header: RequestHeader, asking: Asking) => Promise<Chunks | null>
}

/** Handlers run up to their first await in the turn in which the frame arrives: so appends keep their order. */
const served: ReadonlyMap<number, Served> = new Map([
  serve(apis.produce, produce),
  serve(apis.fetch, fetch),
  serve(apis.listOffsets, listOffsets),
  serve(apis.metadata, metadata),
  serve(apis.findCoordinator, findCoordinator),
  serve(apis.describeClientQuotas, describeClientQuotas),
  serve(apis.alterClientQuotas, alterClientQuotas),
  serve(apis.consumerGroupDescribe, consumerGroupDescribe),
  serve(apis.consumerGroupHeartbeat, consumerGroupHeartbeat),
  serve(apis.deleteGroups, deleteGroups),
  serve(apis.describeGroups, describeGroups),
  serve(apis.heartbeat, heartbeat),
  serve(apis.joinGroup, joinGroup),
  serve(apis.leaveGroup, leaveGroup),
  serve(apis.listGroups, listGroups),
  serve(apis.offsetCommit, offsetCommit),
  serve(apis.offsetDelete, offsetDelete),
  serve(apis.offsetFetch, offsetFetch),
  serve(apis.syncGroup, syncGroup),
  serve(apis.apiVersions, apiVersions),
  serve(apis.createTopics, createTopics),
  serve(apis.deleteTopics, deleteTopics),
  serve(apis.initProducerId, initProducerId),
  serve(apis.describeConfigs, describeConfigs),
  serve(apis.alterConfigs, alterConfigs),
  serve(apis.incrementalAlterConfigs, incrementalAlterConfigs),
  serve(apis.createPartitions, createPartitions),
  serve(apis.describeLogDirs, describeLogDirs),
  serve(apis.deleteRecords, deleteRecords),
  serve(apis.offsetForLeaderEpoch, offsetForLeaderEpoch),
  serve(apis.electLeaders, electLeaders),
  serve(apis.alterPartitionReassignments, alterPartitionReassignments),
  serve(apis.listPartitionReassignments, listPartitionReassignments),
  serve(apis.describeQuorum, describeQuorum),
  serve(apis.updateFeatures, updateFeatures),
  serve(apis.describeCluster, describeCluster),
  serve(apis.listConfigResources, listConfigResources),
  serve(apis.describeTopicPartitions, describeTopicPartitions),
  serve(apis.describeAcls, describeAcls),
  serve(apis.createAcls, createAcls),
  serve(apis.deleteAcls, deleteAcls),
  serve(apis.saslHandshake, saslHandshake),
  serve(apis.saslAuthenticate, saslAuthenticate),
  serve(apis.describeUserScramCredentials, describeUserScramCredentials),
  serve(apis.alterUserScramCredentials, alterUserScramCredentials),
  serve(apis.writeTxnMarkers, writeTxnMarkers),
  serve(apis.txnOffsetCommit, txnOffsetCommit),
  serve(apis.listTransactions, listTransactions),
  serve(apis.endTxn, endTxn),
  serve(apis.describeTransactions, describeTransactions),
  serve(apis.describeProducers, describeProducers),
  serve(apis.addPartitionsToTxn, addPartitionsToTxn),
  serve(apis.addOffsetsToTxn, addOffsetsToTxn),
])
for (const { name, key } of Object.values(apis)) assert(served.has(key), `${name} is offered and has no handler`)
function serve<Req extends Fields, Res extends Fields>(
  api: Api<Req, Res>,
  answer: Parameters<typeof answering<Req, Res, Asking>>[1],
): readonly [key: number, served: Served] {
  const throttleMsOf = ({ turn }: Asking): number => turn.throttleMs
  const partitionsOf = ({ serving }: Asking): number => serving.core.partitions
  return [api.key, { versions: api.versions, answer: answering(api, answer, throttleMsOf, partitionsOf) }]
}

const [, oldProduce] = serve(produceOfOldApi, produceOfOld)

/** Chunks to send, null if no answer is wanted. Rejects with a Disconnect or a WireError: close the connection. */
export async function dispatch(
  frame: Uint8Array,
  asking: Omit<Asking, 'version' | 'clientId'>,
): Promise<Chunks | null> {
  const header = readRequestHeader(frame)
  const { apiKey, version, correlationId } = header
  if (!asking.session.admits(apiKey)) throw new Disconnect(`key ${apiKey} needs a login, which is not there`)
  const api = apiKey === apis.produce.key && version < apis.produce.versions.min ? oldProduce : served.get(apiKey)
  if (api === undefined) throw new Disconnect(`key ${apiKey} is not served`)
  const { min, max } = api.versions
  if (version < min || version > max) {
    // A client of the future must learn what we speak: version 0 is the one form it can surely read (KIP-511).
    if (apiKey === apis.apiVersions.key) {
      const answer = { ...apiVersions(), errorCode: kafkaErrors.UNSUPPORTED_VERSION }
      return writeResponse(apis.apiVersions, 0, correlationId, answer)
    }
    throw new Disconnect(`key ${apiKey} is served in versions ${min} to ${max}, not ${version}`)
  }
  const clientId = readClientId(frame)
  const { serving, turn } = asking
  const client = clientOf(asking.principal, clientId)
  const startMs = serving.world.clock.monoMs()
  const answer = api.answer(frame, header, { ...asking, version, clientId })
  // What it took up to its first wait: reading the request and, for most, all of the work.
  turn.throttle(serving.quotas.charge(client, 'request_percentage', serving.world.clock.monoMs() - startMs))
  return answer
}
