// The door of `wire/`: every API of the Kafka protocol that the house speaks, its request and response as typed values,
// and how they become frames. Bytes in, values out; no sockets. Record batches have a door of their own.
//
// A frame: length 4, then the message. Request header: api key 2, version 2, correlation id 4, client id (nullable
// string with a length of 2 in every version), and tagged fields if the request's version is flexible. Response
// header: correlation id 4, and tagged fields if flexible, but never for ApiVersions, whose answer must be readable
// before the versions are known (KIP-511).
import { ByteReader } from './byte-reader.ts'
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

/** Kafka's error codes. */
export const kafkaErrors = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  INVALID_FETCH_SIZE: 4,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  BROKER_NOT_AVAILABLE: 8,
  REPLICA_NOT_AVAILABLE: 9,
  MESSAGE_TOO_LARGE: 10,
  STALE_CONTROLLER_EPOCH: 11,
  OFFSET_METADATA_TOO_LARGE: 12,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  RECORD_LIST_TOO_LARGE: 18,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  INVALID_COMMIT_OFFSET_SIZE: 28,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  INVALID_TIMESTAMP: 32,
  UNSUPPORTED_SASL_MECHANISM: 33,
  ILLEGAL_SASL_STATE: 34,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_CONFIG: 40,
  NOT_CONTROLLER: 41,
  INVALID_REQUEST: 42,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 43,
  POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  INVALID_TRANSACTION_TIMEOUT: 50,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTION_COORDINATOR_FENCED: 52,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  SECURITY_DISABLED: 54,
  OPERATION_NOT_ATTEMPTED: 55,
  KAFKA_STORAGE_ERROR: 56,
  LOG_DIR_NOT_FOUND: 57,
  SASL_AUTHENTICATION_FAILED: 58,
  UNKNOWN_PRODUCER_ID: 59,
  REASSIGNMENT_IN_PROGRESS: 60,
  DELEGATION_TOKEN_AUTH_DISABLED: 61,
  DELEGATION_TOKEN_NOT_FOUND: 62,
  DELEGATION_TOKEN_OWNER_MISMATCH: 63,
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: 64,
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: 65,
  DELEGATION_TOKEN_EXPIRED: 66,
  INVALID_PRINCIPAL_TYPE: 67,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  INVALID_FETCH_SESSION_EPOCH: 71,
  LISTENER_NOT_FOUND: 72,
  TOPIC_DELETION_DISABLED: 73,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  UNSUPPORTED_COMPRESSION_TYPE: 76,
  STALE_BROKER_EPOCH: 77,
  OFFSET_NOT_AVAILABLE: 78,
  MEMBER_ID_REQUIRED: 79,
  PREFERRED_LEADER_NOT_AVAILABLE: 80,
  GROUP_MAX_SIZE_REACHED: 81,
  FENCED_INSTANCE_ID: 82,
  ELIGIBLE_LEADERS_NOT_AVAILABLE: 83,
  ELECTION_NOT_NEEDED: 84,
  NO_REASSIGNMENT_IN_PROGRESS: 85,
  GROUP_SUBSCRIBED_TO_TOPIC: 86,
  INVALID_RECORD: 87,
  UNSTABLE_OFFSET_COMMIT: 88,
  THROTTLING_QUOTA_EXCEEDED: 89,
  PRODUCER_FENCED: 90,
  RESOURCE_NOT_FOUND: 91,
  DUPLICATE_RESOURCE: 92,
  UNACCEPTABLE_CREDENTIAL: 93,
  INCONSISTENT_VOTER_SET: 94,
  INVALID_UPDATE_VERSION: 95,
  FEATURE_UPDATE_FAILED: 96,
  PRINCIPAL_DESERIALIZATION_FAILURE: 97,
  SNAPSHOT_NOT_FOUND: 98,
  POSITION_OUT_OF_RANGE: 99,
  UNKNOWN_TOPIC_ID: 100,
  DUPLICATE_BROKER_REGISTRATION: 101,
  BROKER_ID_NOT_REGISTERED: 102,
  INCONSISTENT_TOPIC_ID: 103,
  INCONSISTENT_CLUSTER_ID: 104,
  TRANSACTIONAL_ID_NOT_FOUND: 105,
  FETCH_SESSION_TOPIC_ID_ERROR: 106,
  INELIGIBLE_REPLICA: 107,
  NEW_LEADER_ELECTED: 108,
  OFFSET_MOVED_TO_TIERED_STORAGE: 109,
  FENCED_MEMBER_EPOCH: 110,
  UNRELEASED_INSTANCE_ID: 111,
  UNSUPPORTED_ASSIGNOR: 112,
  STALE_MEMBER_EPOCH: 113,
  MISMATCHED_ENDPOINT_TYPE: 114,
  UNSUPPORTED_ENDPOINT_TYPE: 115,
  UNKNOWN_CONTROLLER_ID: 116,
  UNKNOWN_SUBSCRIPTION_ID: 117,
  TELEMETRY_TOO_LARGE: 118,
  INVALID_REGISTRATION: 119,
  TRANSACTION_ABORTABLE: 120,
  INVALID_RECORD_STATE: 121,
  SHARE_SESSION_NOT_FOUND: 122,
  INVALID_SHARE_SESSION_EPOCH: 123,
  FENCED_STATE_EPOCH: 124,
  INVALID_VOTER_KEY: 125,
  DUPLICATE_VOTER: 126,
  VOTER_NOT_FOUND: 127,
  INVALID_REGULAR_EXPRESSION: 128,
  REBOOTSTRAP_REQUIRED: 129,
} as const
export type KafkaError = keyof typeof kafkaErrors

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
 * follow its end are ignored, as Kafka does: librdkafka 2.16 sends three after a Metadata 13 for all topics.
 */
export function readRequest<Req extends Fields, Res extends Fields>(
  { request }: Api<Req, Res>,
  frame: Uint8Array,
): { readonly clientId: string | null; readonly body: Decoded<Req> } {
  const reader = new ByteReader(frame, 2)
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
/** Reads a response; `frame` is without its length. Throws a WireError INVALID_REQUEST. */
export function readResponse<Req extends Fields, Res extends Fields>(
  { key, response }: Api<Req, Res>,
  version: number,
  frame: Uint8Array,
): { readonly correlationId: number; readonly body: Decoded<Res> } {
  const reader = new ByteReader(frame)
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
 * `throttleMsOf`: asked once the answer is known; above 0 it stands in the response, where that has a place for it.
 */
export function answering<Req extends Fields, Res extends Fields, Context>(
  api: Api<Req, Res>,
  answer: (
    body: Decoded<Req>,
    context: Context,
    clientId: string | null,
  ) => Encodable<Res> | null | Promise<Encodable<Res> | null>,
  throttleMsOf: (context: Context) => number = () => 0,
): (frame: Uint8Array, header: RequestHeader, context: Context) => Promise<Uint8Array[] | null> {
  return async (frame, { version, correlationId }, context) => {
    const { body, clientId } = readRequest(api, frame)
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
