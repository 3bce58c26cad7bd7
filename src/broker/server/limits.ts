// Every limit of the Kafka server, with its unit. Tests reach each of them; settings may lower or raise them.

export interface KafkaServerLimits {
  /** A frame that claims more is refused before a byte of it is kept; so the largest batch is a little smaller. */
  readonly frameBytesMax: number
  /** A frame that is begun must be whole within this time. */
  readonly halfFrameMsMax: number
  /** A connection on which nothing happened for so long is closed (Kafka's connections.max.idle.ms). */
  readonly idleMsMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Requests of one connection that are read and not yet answered; then its socket is not read on. */
  readonly pipelinedRequestsMax: number
  /** Bytes of such requests. */
  readonly pipelinedBytesMax: number
  /** Bytes of requests not yet answered, whole or not, of all connections: then no socket is read on until some are. */
  readonly inboundBytesMax: number
  /** Memory of answered Produce requests that is kept for the next ones. */
  readonly idleMemoryBytesMax: number
  /** So full for so long of requests that nobody works on: who holds most of them is disconnected. */
  readonly inboundFullMsMax: number
  /** With so many bytes of answers not taken by the peer, its next request waits. */
  readonly connectionOutboundBytesMax: number
  /**
   * Bytes of answers not taken by all peers together, near which fetches get smaller, down to `fetchBytesMin`, then to
   * nothing; at twice as many, who has taken nothing for the longest time is disconnected.
   */
  readonly outboundBytesMax: number
  /** With half of `outboundBytesMax` queued, who has taken nothing for so long is disconnected. */
  readonly stillMsMax: number
  /** A client is told to wait, and not read, for so long at most; what it still owes counts at its next request. */
  readonly throttleMsMax: number
  /** Records in one Fetch answer, whatever the client asks for; a single larger batch still goes out. */
  readonly fetchBytesMax: number
  readonly fetchBytesMin: number
  /** A long poll is answered after this time at the latest, whatever the client asks for. */
  readonly fetchWaitMsMax: number
  /** Fetch sessions kept (Kafka's max.incremental.fetch.session.cache.slots), and partitions in all of them. */
  readonly fetchSessionsMax: number
  readonly fetchSessionPartitionsMax: number
  /** A session makes room for another only if it was not used for so long, or is older than that and smaller. */
  readonly fetchSessionKeepMsMin: number
  /** A client that has to say who it is must have done so within this time. */
  readonly authenticationMsMax: number
  /** Until then its frames are no longer than this, and so many are read ahead. */
  readonly strangersFrameBytesMax: number
  readonly strangersRequestsMax: number
  /** A failed login is answered no sooner. */
  readonly failedLoginMs: number
  /** A TLS handshake takes so long at the most, and so many are under way at a time on one listener. */
  readonly tlsHandshakeMsMax: number
  readonly tlsHandshakesMax: number
  /** Topics that one request may bring into being by asking for them. */
  readonly autoCreatedTopicsMax: number
}

const MiB = 1024 * 1024
export const kafkaServerLimits: KafkaServerLimits = {
  frameBytesMax: 16 * MiB,
  halfFrameMsMax: 30_000,
  idleMsMax: 600_000,
  connectionsMax: 4_000,
  connectionsPerAddressMax: 2_000,
  pipelinedRequestsMax: 64,
  pipelinedBytesMax: 32 * MiB,
  inboundBytesMax: 64 * MiB,
  idleMemoryBytesMax: 16 * MiB,
  inboundFullMsMax: 5_000,
  connectionOutboundBytesMax: 1 * MiB,
  outboundBytesMax: 128 * MiB,
  stillMsMax: 10_000,
  throttleMsMax: 30_000,
  fetchBytesMax: 16 * MiB,
  fetchBytesMin: 64 * 1024,
  fetchWaitMsMax: 60_000,
  fetchSessionsMax: 1_000,
  fetchSessionPartitionsMax: 200_000,
  fetchSessionKeepMsMin: 120_000,
  authenticationMsMax: 10_000,
  strangersFrameBytesMax: 64 * 1024,
  strangersRequestsMax: 4,
  failedLoginMs: 250,
  tlsHandshakeMsMax: 10_000,
  tlsHandshakesMax: 500,
  autoCreatedTopicsMax: 100,
}
