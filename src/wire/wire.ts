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
import { apiVersionsRequest, apiVersionsResponse } from './messages/api-versions.ts'
import { createTopicsRequest, createTopicsResponse } from './messages/create-topics.ts'
import { deleteGroupsRequest, deleteGroupsResponse } from './messages/delete-groups.ts'
import { deleteTopicsRequest, deleteTopicsResponse } from './messages/delete-topics.ts'
import { describeConfigsRequest, describeConfigsResponse } from './messages/describe-configs.ts'
import { describeGroupsRequest, describeGroupsResponse } from './messages/describe-groups.ts'
import { fetchRequest, fetchResponse } from './messages/fetch.ts'
import { findCoordinatorRequest, findCoordinatorResponse } from './messages/find-coordinator.ts'
import { heartbeatRequest, heartbeatResponse } from './messages/heartbeat.ts'
import { initProducerIdRequest, initProducerIdResponse } from './messages/init-producer-id.ts'
import { joinGroupRequest, joinGroupResponse } from './messages/join-group.ts'
import { leaveGroupRequest, leaveGroupResponse } from './messages/leave-group.ts'
import { listGroupsRequest, listGroupsResponse } from './messages/list-groups.ts'
import { listOffsetsRequest, listOffsetsResponse } from './messages/list-offsets.ts'
import { metadataRequest, metadataResponse } from './messages/metadata.ts'
import { offsetCommitRequest, offsetCommitResponse } from './messages/offset-commit.ts'
import { offsetDeleteRequest, offsetDeleteResponse } from './messages/offset-delete.ts'
import { offsetFetchRequest, offsetFetchResponse } from './messages/offset-fetch.ts'
import { produceRequest, produceResponse } from './messages/produce.ts'
import { syncGroupRequest, syncGroupResponse } from './messages/sync-group.ts'
import { WireError } from './wire-error.ts'

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
  offsetDelete: api('OffsetDelete', offsetDeleteRequest, offsetDeleteResponse),
} as const
export type ApiName = keyof typeof apis
/** Of the API with this name: a request and a response as they were read, a response to be written. */
export type RequestOf<Name extends ApiName> = (typeof apis)[Name] extends Api<infer Req, infer _> ? Decoded<Req> : never
export type ResponseOf<Name extends ApiName> =
  (typeof apis)[Name] extends Api<infer _, infer Res> ? Decoded<Res> : never
export type ResponseTo<Name extends ApiName> =
  (typeof apis)[Name] extends Api<infer _, infer Res> ? Encodable<Res> : never

/** Kafka's error codes, as far as we say them. */
export const kafkaErrors = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  MESSAGE_TOO_LARGE: 10,
  OFFSET_METADATA_TOO_LARGE: 12,
  COORDINATOR_NOT_AVAILABLE: 15,
  INVALID_TOPIC_EXCEPTION: 17,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  INVALID_COMMIT_OFFSET_SIZE: 28,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_CONFIG: 40,
  INVALID_REQUEST: 42,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  INVALID_PRODUCER_EPOCH: 47,
  KAFKA_STORAGE_ERROR: 56,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  UNKNOWN_LEADER_EPOCH: 75,
  MEMBER_ID_REQUIRED: 79,
  GROUP_MAX_SIZE_REACHED: 81,
  FENCED_INSTANCE_ID: 82,
  GROUP_SUBSCRIBED_TO_TOPIC: 86,
  INVALID_RECORD: 87,
  UNKNOWN_TOPIC_ID: 100,
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
/** Reads the body of a request of this API; its version must be in range. Throws a WireError INVALID_REQUEST. */
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
  noneLeft(reader, request.name)
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

/**
 * Joins an API to what answers it: the bytes of a request in a served version in, the chunks of its response out; null
 * when the answer is null and none is to be sent. The body is read, and `answer` called, before the first await.
 */
export function answering<Req extends Fields, Res extends Fields, Context>(
  api: Api<Req, Res>,
  answer: (
    body: Decoded<Req>,
    context: Context,
    clientId: string | null,
  ) => Encodable<Res> | null | Promise<Encodable<Res> | null>,
): (frame: Uint8Array, header: RequestHeader, context: Context) => Promise<Uint8Array[] | null> {
  return async (frame, { version, correlationId }, context) => {
    const { body, clientId } = readRequest(api, frame)
    const response = await answer(body, context, clientId)
    return response === null ? null : writeResponse(api, version, correlationId, response)
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
