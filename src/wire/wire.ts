// The door of `wire/`: every API of the Kafka protocol that the house speaks, its request and response as typed values,
// and how they become frames. Bytes in, values out; no sockets. Record batches have a door of their own.
//
// A frame: length 4, then the message. Request header: api key 2, version 2, correlation id 4, client id (nullable
// string with a length of 2 in every version), and tagged fields if the request's version is flexible. Response
// header: correlation id 4, and tagged fields if flexible, but never for ApiVersions, whose answer must be readable
// before the versions are known (KIP-511).
import { ByteReader, decodedBytesFree, decodedBytesPerPartition } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Decoded, Encodable, Fields, MessageDeclaration } from './message.ts'
import { type MessageCodec, messageCodec } from './message-codec.ts'
import { addOffsetsToTxnRequest, addOffsetsToTxnResponse } from './messages/add-offsets-to-txn.ts'
import { addPartitionsToTxnRequest, addPartitionsToTxnResponse } from './messages/add-partitions-to-txn.ts'
import { alterClientQuotasRequest, alterClientQuotasResponse } from './messages/alter-client-quotas.ts'
import { alterConfigsRequest, alterConfigsResponse } from './messages/alter-configs.ts'
import {
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
} from './messages/alter-partition-reassignments.ts'
import {
  alterUserScramCredentialsRequest,
  alterUserScramCredentialsResponse,
} from './messages/alter-user-scram-credentials.ts'
import { apiVersionsRequest, apiVersionsResponse } from './messages/api-versions.ts'
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './messages/consumer-group-describe.ts'
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './messages/consumer-group-heartbeat.ts'
import { createAclsRequest, createAclsResponse } from './messages/create-acls.ts'
import { createPartitionsRequest, createPartitionsResponse } from './messages/create-partitions.ts'
import { createTopicsRequest, createTopicsResponse } from './messages/create-topics.ts'
import { deleteAclsRequest, deleteAclsResponse } from './messages/delete-acls.ts'
import { deleteGroupsRequest, deleteGroupsResponse } from './messages/delete-groups.ts'
import { deleteRecordsRequest, deleteRecordsResponse } from './messages/delete-records.ts'
import { deleteTopicsRequest, deleteTopicsResponse } from './messages/delete-topics.ts'
import { describeAclsRequest, describeAclsResponse } from './messages/describe-acls.ts'
import { describeClientQuotasRequest, describeClientQuotasResponse } from './messages/describe-client-quotas.ts'
import { describeClusterRequest, describeClusterResponse } from './messages/describe-cluster.ts'
import { describeConfigsRequest, describeConfigsResponse } from './messages/describe-configs.ts'
import { describeGroupsRequest, describeGroupsResponse } from './messages/describe-groups.ts'
import { describeLogDirsRequest, describeLogDirsResponse } from './messages/describe-log-dirs.ts'
import { describeProducersRequest, describeProducersResponse } from './messages/describe-producers.ts'
import { describeQuorumRequest, describeQuorumResponse } from './messages/describe-quorum.ts'
import {
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
} from './messages/describe-topic-partitions.ts'
import { describeTransactionsRequest, describeTransactionsResponse } from './messages/describe-transactions.ts'
import {
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
} from './messages/describe-user-scram-credentials.ts'
import { electLeadersRequest, electLeadersResponse } from './messages/elect-leaders.ts'
import { endTxnRequest, endTxnResponse } from './messages/end-txn.ts'
import { fetchRequest, fetchResponse } from './messages/fetch.ts'
import { findCoordinatorRequest, findCoordinatorResponse } from './messages/find-coordinator.ts'
import { heartbeatRequest, heartbeatResponse } from './messages/heartbeat.ts'
import {
  incrementalAlterConfigsRequest,
  incrementalAlterConfigsResponse,
} from './messages/incremental-alter-configs.ts'
import { initProducerIdRequest, initProducerIdResponse } from './messages/init-producer-id.ts'
import { joinGroupRequest, joinGroupResponse } from './messages/join-group.ts'
import { leaveGroupRequest, leaveGroupResponse } from './messages/leave-group.ts'
import { listConfigResourcesRequest, listConfigResourcesResponse } from './messages/list-config-resources.ts'
import { listGroupsRequest, listGroupsResponse } from './messages/list-groups.ts'
import { listOffsetsRequest, listOffsetsResponse } from './messages/list-offsets.ts'
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from './messages/list-partition-reassignments.ts'
import { listTransactionsRequest, listTransactionsResponse } from './messages/list-transactions.ts'
import { metadataRequest, metadataResponse } from './messages/metadata.ts'
import { offsetCommitRequest, offsetCommitResponse } from './messages/offset-commit.ts'
import { offsetDeleteRequest, offsetDeleteResponse } from './messages/offset-delete.ts'
import { offsetFetchRequest, offsetFetchResponse } from './messages/offset-fetch.ts'
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './messages/offset-for-leader-epoch.ts'
import { produceRequest, produceResponse } from './messages/produce.ts'
import { saslAuthenticateRequest, saslAuthenticateResponse } from './messages/sasl-authenticate.ts'
import { saslHandshakeRequest, saslHandshakeResponse } from './messages/sasl-handshake.ts'
import { syncGroupRequest, syncGroupResponse } from './messages/sync-group.ts'
import { txnOffsetCommitRequest, txnOffsetCommitResponse } from './messages/txn-offset-commit.ts'
import { updateFeaturesRequest, updateFeaturesResponse } from './messages/update-features.ts'
import { writeTxnMarkersRequest, writeTxnMarkersResponse } from './messages/write-txn-markers.ts'
import { produceOfOldRequest, produceOfOldResponse } from './produce-of-old.ts'
import { WireError } from './wire-error.ts'

export type { Fields } from './message.ts'

/** One request and its response. `versions` are those whose bytes we can read and write. */
export interface Api<Req extends Fields = Fields, Res extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: { readonly min: number; readonly max: number }
  readonly request: MessageCodec<Req>
  readonly response: MessageCodec<Res>
}

function api<Req extends Fields, Res extends Fields>(
  name: string,
  request: MessageDeclaration<Req>,
  response: MessageDeclaration<Res>,
): Api<Req, Res> {
  const codec = messageCodec(request)
  return { key: request.apiKey, name, versions: codec.versions, request: codec, response: messageCodec(response) }
}

/** By the names Kafka gives them; `apiVersions` etc. are also the keys of the server's handlers. */
export const apis = {
  produce: api('Produce', produceRequest, produceResponse),
  fetch: api('Fetch', fetchRequest, fetchResponse),
  listOffsets: api('ListOffsets', listOffsetsRequest, listOffsetsResponse),
  metadata: api('Metadata', metadataRequest, metadataResponse),
  offsetCommit: api('OffsetCommit', offsetCommitRequest, offsetCommitResponse),
  offsetFetch: api('OffsetFetch', offsetFetchRequest, offsetFetchResponse),
  findCoordinator: api('FindCoordinator', findCoordinatorRequest, findCoordinatorResponse),
  joinGroup: api('JoinGroup', joinGroupRequest, joinGroupResponse),
  heartbeat: api('Heartbeat', heartbeatRequest, heartbeatResponse),
  leaveGroup: api('LeaveGroup', leaveGroupRequest, leaveGroupResponse),
  syncGroup: api('SyncGroup', syncGroupRequest, syncGroupResponse),
  describeGroups: api('DescribeGroups', describeGroupsRequest, describeGroupsResponse),
  listGroups: api('ListGroups', listGroupsRequest, listGroupsResponse),
  apiVersions: api('ApiVersions', apiVersionsRequest, apiVersionsResponse),
  createTopics: api('CreateTopics', createTopicsRequest, createTopicsResponse),
  deleteTopics: api('DeleteTopics', deleteTopicsRequest, deleteTopicsResponse),
  initProducerId: api('InitProducerId', initProducerIdRequest, initProducerIdResponse),
  describeConfigs: api('DescribeConfigs', describeConfigsRequest, describeConfigsResponse),
  deleteGroups: api('DeleteGroups', deleteGroupsRequest, deleteGroupsResponse),
  describeClientQuotas: api('DescribeClientQuotas', describeClientQuotasRequest, describeClientQuotasResponse),
  alterClientQuotas: api('AlterClientQuotas', alterClientQuotasRequest, alterClientQuotasResponse),
  offsetDelete: api('OffsetDelete', offsetDeleteRequest, offsetDeleteResponse),
  alterConfigs: api('AlterConfigs', alterConfigsRequest, alterConfigsResponse),
  incrementalAlterConfigs: api(
    'IncrementalAlterConfigs',
    incrementalAlterConfigsRequest,
    incrementalAlterConfigsResponse,
  ),
  createPartitions: api('CreatePartitions', createPartitionsRequest, createPartitionsResponse),
  describeLogDirs: api('DescribeLogDirs', describeLogDirsRequest, describeLogDirsResponse),
  deleteRecords: api('DeleteRecords', deleteRecordsRequest, deleteRecordsResponse),
  offsetForLeaderEpoch: api('OffsetForLeaderEpoch', offsetForLeaderEpochRequest, offsetForLeaderEpochResponse),
  electLeaders: api('ElectLeaders', electLeadersRequest, electLeadersResponse),
  alterPartitionReassignments: api(
    'AlterPartitionReassignments',
    alterPartitionReassignmentsRequest,
    alterPartitionReassignmentsResponse,
  ),
  listPartitionReassignments: api(
    'ListPartitionReassignments',
    listPartitionReassignmentsRequest,
    listPartitionReassignmentsResponse,
  ),
  describeQuorum: api('DescribeQuorum', describeQuorumRequest, describeQuorumResponse),
  updateFeatures: api('UpdateFeatures', updateFeaturesRequest, updateFeaturesResponse),
  describeCluster: api('DescribeCluster', describeClusterRequest, describeClusterResponse),
  listConfigResources: api('ListConfigResources', listConfigResourcesRequest, listConfigResourcesResponse),
  describeTopicPartitions: api(
    'DescribeTopicPartitions',
    describeTopicPartitionsRequest,
    describeTopicPartitionsResponse,
  ),
  describeAcls: api('DescribeAcls', describeAclsRequest, describeAclsResponse),
  createAcls: api('CreateAcls', createAclsRequest, createAclsResponse),
  deleteAcls: api('DeleteAcls', deleteAclsRequest, deleteAclsResponse),
  saslHandshake: api('SaslHandshake', saslHandshakeRequest, saslHandshakeResponse),
  saslAuthenticate: api('SaslAuthenticate', saslAuthenticateRequest, saslAuthenticateResponse),
  describeUserScramCredentials: api(
    'DescribeUserScramCredentials',
    describeUserScramCredentialsRequest,
    describeUserScramCredentialsResponse,
  ),
  alterUserScramCredentials: api(
    'AlterUserScramCredentials',
    alterUserScramCredentialsRequest,
    alterUserScramCredentialsResponse,
  ),
  consumerGroupHeartbeat: api('ConsumerGroupHeartbeat', consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse),
  consumerGroupDescribe: api('ConsumerGroupDescribe', consumerGroupDescribeRequest, consumerGroupDescribeResponse),
  addPartitionsToTxn: api('AddPartitionsToTxn', addPartitionsToTxnRequest, addPartitionsToTxnResponse),
  addOffsetsToTxn: api('AddOffsetsToTxn', addOffsetsToTxnRequest, addOffsetsToTxnResponse),
  endTxn: api('EndTxn', endTxnRequest, endTxnResponse),
  writeTxnMarkers: api('WriteTxnMarkers', writeTxnMarkersRequest, writeTxnMarkersResponse),
  txnOffsetCommit: api('TxnOffsetCommit', txnOffsetCommitRequest, txnOffsetCommitResponse),
  describeProducers: api('DescribeProducers', describeProducersRequest, describeProducersResponse),
  describeTransactions: api('DescribeTransactions', describeTransactionsRequest, describeTransactionsResponse),
  listTransactions: api('ListTransactions', listTransactionsRequest, listTransactionsResponse),
} as const
/** Offered and refused; not among the others, whose versions are served. */
export const produceOfOldApi = api('Produce', produceOfOldRequest, produceOfOldResponse)
export type OldProduceRequest = typeof produceOfOldApi extends Api<infer Req, infer _> ? Decoded<Req> : never
export type OldProduceResponse = typeof produceOfOldApi extends Api<infer _, infer Res> ? Encodable<Res> : never
export type ApiName = keyof typeof apis
/** Of the API with this name: a request and a response as they were read, a response to be written. */
export type RequestOf<Name extends ApiName> = (typeof apis)[Name] extends Api<infer Req, infer _> ? Decoded<Req> : never
export type ResponseOf<Name extends ApiName> =
  (typeof apis)[Name] extends Api<infer _, infer Res> ? Decoded<Res> : never
export type ResponseTo<Name extends ApiName> =
  (typeof apis)[Name] extends Api<infer _, infer Res> ? Encodable<Res> : never

export { type KafkaError, kafkaErrors } from './kafka-errors.ts'

export interface RequestHeader {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
}
/** The part of a request's header that stands there in every version. `frame` is without its length. Throws a WireError. */
export function readRequestHeader(frame: Uint8Array): RequestHeader {
  const reader = new ByteReader(frame)
  return { apiKey: reader.int16(), version: reader.int16(), correlationId: reader.int32() }
}
/**
 * Reads the body of a request of this API; its version must be in range. Throws a WireError INVALID_REQUEST. Bytes that
 * follow its end are ignored, as Kafka does: librdkafka 2.16 sends three after a Metadata 13 for all topics. What it may take
 * in memory is bounded by its size, and by how many `partitions` there are to be named.
 */
export function readRequest<Req extends Fields, Res extends Fields>(
  { request }: Api<Req, Res>,
  frame: Uint8Array,
  partitions = 0,
): { readonly clientId: string | null; readonly body: Decoded<Req> } {
  const reader = new ByteReader(frame, 2, decodedBytesFree + decodedBytesPerPartition * partitions)
  const version = reader.int16()
  reader.skip(4)
  const clientId = reader.string(false)
  if (request.isFlexible(version)) skipTags(reader)
  const body = request.read(reader, version)
  return { clientId, body }
}
/** The whole frame with its length, as chunks to be sent one after the other. */
export function writeRequest<Req extends Fields, Res extends Fields>(
  { key, request }: Api<Req, Res>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: Encodable<Req>,
): Uint8Array[] {
  return framed((writer) => {
    writer.int16(key)
    writer.int16(version)
    writer.int32(correlationId)
    writer.string(clientId, false)
    if (request.isFlexible(version)) writer.uvarint(0)
    request.write(writer, version, body)
  })
}
/** The whole frame with its length, as chunks to be sent one after the other. */
export function writeResponse<Req extends Fields, Res extends Fields>(
  { key, response }: Api<Req, Res>,
  version: number,
  correlationId: number,
  body: Encodable<Res>,
): Uint8Array[] {
  return framed((writer) => {
    writer.int32(correlationId)
    if (response.isFlexible(version) && key !== apis.apiVersions.key) writer.uvarint(0)
    response.write(writer, version, body)
  })
}
/** Reads a response of a broker that is trusted; `frame` is without its length. Throws a WireError INVALID_REQUEST. */
export function readResponse<Req extends Fields, Res extends Fields>(
  { key, response }: Api<Req, Res>,
  version: number,
  frame: Uint8Array,
): { readonly correlationId: number; readonly body: Decoded<Res> } {
  const reader = new ByteReader(frame, 0, Number.POSITIVE_INFINITY)
  const correlationId = reader.int32()
  if (response.isFlexible(version) && key !== apis.apiVersions.key) skipTags(reader)
  const body = response.read(reader, version)
  noneLeft(reader, response.name)
  return { correlationId, body }
}

/** The client's own name in a request's header; null if it does not give one. Throws a WireError. */
export function readClientId(frame: Uint8Array): string | null {
  return new ByteReader(frame, 8).string(false)
}

/**
 * Joins an API to what answers it: the bytes of a request in a served version in, the chunks of its response out; null
 * when the answer is null and none is to be sent. The body is read, and `answer` called, before the first await.
 * `partitionsOf`: how many there are (`readRequest`). `throttleMsOf`: asked once the answer is known; above 0 it stands in the response, where that has a place for it.
 */
export function answering<Req extends Fields, Res extends Fields, Context>(
  api: Api<Req, Res>,
  answer: (
    body: Decoded<Req>,
    context: Context,
    clientId: string | null,
  ) => Encodable<Res> | null | Promise<Encodable<Res> | null>,
  throttleMsOf: (context: Context) => number = () => 0,
  partitionsOf: (context: Context) => number = () => 0,
): (frame: Uint8Array, header: RequestHeader, context: Context) => Promise<Uint8Array[] | null> {
  return async (frame, { version, correlationId }, context) => {
    const { body, clientId } = readRequest(api, frame, partitionsOf(context))
    const response = await answer(body, context, clientId)
    if (response === null) return null
    const throttleTimeMs = throttleMsOf(context)
    const said = throttleTimeMs === 0 ? response : Object.assign({}, response, { throttleTimeMs })
    return writeResponse(api, version, correlationId, said)
  }
}

function framed(write: (writer: ByteWriter) => void): Uint8Array[] {
  const writer = new ByteWriter()
  writer.int32(0)
  write(writer)
  const sizeBytes = writer.sizeBytes - 4
  const chunks = writer.finish()
  const first = chunks[0]!
  new DataView(first.buffer, first.byteOffset).setInt32(0, sizeBytes)
  return chunks
}
function skipTags(reader: ByteReader): void {
  for (let left = reader.uvarint(); left > 0; left--) {
    reader.uvarint()
    reader.skip(reader.uvarint())
  }
}
function noneLeft(reader: ByteReader, name: string): void {
  if (reader.left > 0) throw new WireError('INVALID_REQUEST', `${name}: ${reader.left} bytes follow its end`)
}
