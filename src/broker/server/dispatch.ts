// From a request's bytes to the handler of its API and back: which keys and versions are served, and what is said to
// the others. Another key, or a version outside its range, closes the connection, as Kafka does.
import { answering, apis, kafkaErrors, type RequestHeader, readRequestHeader, writeResponse } from '../../wire/wire.ts'
import { apiVersions } from './apis/api-versions.ts'
import { createTopics } from './apis/create-topics.ts'
import { deleteGroups } from './apis/delete-groups.ts'
import { deleteTopics } from './apis/delete-topics.ts'
import { describeConfigs } from './apis/describe-configs.ts'
import { describeGroups } from './apis/describe-groups.ts'
import { fetch } from './apis/fetch.ts'
import { findCoordinator } from './apis/find-coordinator.ts'
import { heartbeat } from './apis/heartbeat.ts'
import { initProducerId } from './apis/init-producer-id.ts'
import { joinGroup } from './apis/join-group.ts'
import { leaveGroup } from './apis/leave-group.ts'
import { listGroups } from './apis/list-groups.ts'
import { listOffsets } from './apis/list-offsets.ts'
import { metadata } from './apis/metadata.ts'
import { offsetCommit } from './apis/offset-commit.ts'
import { offsetDelete } from './apis/offset-delete.ts'
import { offsetFetch } from './apis/offset-fetch.ts'
import { produce } from './apis/produce.ts'
import { syncGroup } from './apis/sync-group.ts'
import { type Asking, Disconnect } from './serving.ts'

type Chunks = readonly Uint8Array[]
interface Served {
  readonly versions: { readonly min: number; readonly max: number }
  readonly answer: (frame: Uint8Array, header: RequestHeader, asking: Asking) => Promise<Chunks | null>
}

/** Handlers run up to their first await in the turn in which the frame arrives: so appends keep their order. */
const served: ReadonlyMap<number, Served> = new Map([
  [apis.produce.key, { versions: apis.produce.versions, answer: answering(apis.produce, produce) }],
  [apis.fetch.key, { versions: apis.fetch.versions, answer: answering(apis.fetch, fetch) }],
  [apis.listOffsets.key, { versions: apis.listOffsets.versions, answer: answering(apis.listOffsets, listOffsets) }],
  [apis.metadata.key, { versions: apis.metadata.versions, answer: answering(apis.metadata, metadata) }],
  [
    apis.findCoordinator.key,
    { versions: apis.findCoordinator.versions, answer: answering(apis.findCoordinator, findCoordinator) },
  ],
  [apis.deleteGroups.key, { versions: apis.deleteGroups.versions, answer: answering(apis.deleteGroups, deleteGroups) }],
  [
    apis.describeGroups.key,
    { versions: apis.describeGroups.versions, answer: answering(apis.describeGroups, describeGroups) },
  ],
  [apis.heartbeat.key, { versions: apis.heartbeat.versions, answer: answering(apis.heartbeat, heartbeat) }],
  [apis.joinGroup.key, { versions: apis.joinGroup.versions, answer: answering(apis.joinGroup, joinGroup) }],
  [apis.leaveGroup.key, { versions: apis.leaveGroup.versions, answer: answering(apis.leaveGroup, leaveGroup) }],
  [apis.listGroups.key, { versions: apis.listGroups.versions, answer: answering(apis.listGroups, listGroups) }],
  [apis.offsetCommit.key, { versions: apis.offsetCommit.versions, answer: answering(apis.offsetCommit, offsetCommit) }],
  [apis.offsetDelete.key, { versions: apis.offsetDelete.versions, answer: answering(apis.offsetDelete, offsetDelete) }],
  [apis.offsetFetch.key, { versions: apis.offsetFetch.versions, answer: answering(apis.offsetFetch, offsetFetch) }],
  [apis.syncGroup.key, { versions: apis.syncGroup.versions, answer: answering(apis.syncGroup, syncGroup) }],
  [apis.apiVersions.key, { versions: apis.apiVersions.versions, answer: answering(apis.apiVersions, apiVersions) }],
  [apis.createTopics.key, { versions: apis.createTopics.versions, answer: answering(apis.createTopics, createTopics) }],
  [apis.deleteTopics.key, { versions: apis.deleteTopics.versions, answer: answering(apis.deleteTopics, deleteTopics) }],
  [
    apis.initProducerId.key,
    { versions: apis.initProducerId.versions, answer: answering(apis.initProducerId, initProducerId) },
  ],
  [
    apis.describeConfigs.key,
    { versions: apis.describeConfigs.versions, answer: answering(apis.describeConfigs, describeConfigs) },
  ],
])

/** Chunks to send, null if no answer is wanted. Rejects with a Disconnect or a WireError: close the connection. */
export async function dispatch(frame: Uint8Array, asking: Omit<Asking, 'version'>): Promise<Chunks | null> {
  const header = readRequestHeader(frame)
  const { apiKey, version, correlationId } = header
  const api = served.get(apiKey)
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
  return api.answer(frame, header, { ...asking, version })
}
