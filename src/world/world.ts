// The only door to clock, entropy, disk, network, environment and threads. Two implementations: `world/node.ts` (the
// real one) and `sim/` (virtual time, a disk that forgets what was not synced, a network that drops). One contract
// suite holds both to the words below.
import type { RandomStream } from '../std/random.ts'

export interface World {
  readonly clock: Clock
  /** Entropy at the root: everything random forks from here by name. In a simulation it is the run's seed. */
  readonly random: RandomStream
  readonly fs: FileSystem
  readonly net: Network
  readonly threads: Threads
  readonly host: Host
}

export interface Clock {
  /** Wall time, milliseconds since the epoch. May jump. */
  nowMs(): number
  /** Monotonic time in milliseconds with fractions, from an arbitrary start. */
  monoMs(): number
  /** Runs `callback` once after `delayMs`; cancel() is idempotent. A timer does not keep the process alive if `background`. */
  timer(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): Timer
  sleep(delayMs: number): Promise<void>
  /** Runs `callback` after the pending I/O events have been looked at. */
  soon(callback: () => void): void
}
export interface Timer {
  cancel(): void
}

/**
 * Paths are absolute or relative to the process; `/` separates. Reads and writes are synchronous (they hit the page
 * cache); what waits for the platter is asynchronous and runs on the syncer thread. Every failure is an `FsError`.
 */
export interface FileSystem {
  /** `create`: fails with EEXIST if it is there. `read`: fails with ENOENT if not. `write`: read and write, ENOENT if not. */
  open(path: string, mode: 'read' | 'write' | 'create'): File
  /** Makes one folder: EEXIST if something is there, ENOENT without its parent. */
  mkdir(path: string): void
  /** Names in the folder, sorted by UTF-16 code unit. */
  list(path: string): string[]
  stat(path: string): { readonly sizeBytes: number; readonly isFolder: boolean; readonly modifiedMs: number } | null
  rename(from: string, to: string): void
  /** A second name for a file, of the same bytes (a hard link): EEXIST if `to` is there, EXDEV on another disk. */
  link(from: string, to: string): void
  unlink(path: string): void
  /** Removes a folder and all in it; nothing if it is not there. */
  removeTree(path: string): void
  /** fsync of a folder: the entries in it survive a power cut once this resolves. */
  syncFolder(path: string): Promise<void>
  /** Bytes free to us and in all on the disk that holds the path. */
  space(path: string): { readonly freeBytes: number; readonly totalBytes: number }
}
export interface File {
  readonly path: string
  /** Writes at `position`; returns how many bytes went out, which may be fewer than asked: loop. */
  write(bytes: Uint8Array, position: number): number
  /** Reads into `into`; returns how many bytes came, 0 at the end of the file. */
  read(into: Uint8Array, position: number): number
  sizeBytes(): number
  truncate(sizeBytes: number): void
  /** fdatasync on the syncer thread: what was written before the call survives a power cut once this resolves. */
  sync(): Promise<void>
  close(): void
}
/** What the disk said. `code` is the errno name: ENOENT, EEXIST, ENOSPC, EIO, EACCES, EFBIG, EMFILE, ENOTDIR, EISDIR … */
export class FsError extends Error {
  override name = 'FsError'
  readonly code: string
  readonly operation: string
  readonly path: string
  constructor(code: string, operation: string, path: string, options?: ErrorOptions) {
    super(`${code}: ${operation} ${path}`, options)
    this.code = code
    this.operation = operation
    this.path = path
  }
}

export interface Network {
  /** Resolves when listening; rejects with a NetError (EADDRINUSE, EACCES, EADDRNOTAVAIL). Port 0 picks one. */
  listen(
    address: { readonly host: string; readonly port: number },
    accept: (socket: Socket) => void,
    tls?: ServerTls | null,
  ): Promise<Listener>
  /** `tls`: as `ServerTls` is for listening; rejects with a NetError `TLS` when the peer cannot show who it is. */
  connect(address: { readonly host: string; readonly port: number }, tls?: ClientTls | null): Promise<Socket>
}
/**
 * TLS 1.2 or newer on everything accepted; a connection is accepted once its handshake is over. Rejects with a NetError
 * `TLS` for material that cannot be used. A simulation takes the words and leaves the bytes as they are.
 */
export interface ServerTls {
  /** PEM: the certificate, and those that lead to its root. */
  readonly certificate: Uint8Array
  /** PEM. */
  readonly key: Uint8Array
  /** PEM: whoever connects must show a certificate of one of these authorities; null: nobody is asked for one. */
  readonly clientCa: Uint8Array | null
  /** A handshake takes so long at the most … */
  readonly handshakeMsMax: number
  /** … and so many are under way at a time; further connections are closed. */
  readonly handshakesMax: number
}
export interface ClientTls {
  /** PEM: authorities that the peer's certificate may come from; null: those that the runtime trusts. */
  readonly ca: Uint8Array | null
  /** PEM: what we show, where the peer asks for it. */
  readonly shown: { readonly certificate: Uint8Array; readonly key: Uint8Array } | null
}
export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting; open sockets stay open. */
  close(): Promise<void>
}
/**
 * A connection. Of each kind of handler the last one given counts. What comes before `onData` waits for it. When the peer
 * ends, our side flushes and ends too. What is written after the end goes nowhere.
 */
export interface Socket {
  /** `address:port` of the peer … */
  readonly remote: string
  /** … and of our end, as the peer reached it. */
  readonly local: string
  /**
   * Of the certificate that the peer has shown and that was checked: its subject as RFC 2253 writes names
   * (`CN=shop,O=Example`); null without one.
   */
  readonly peerSubject: string | null
  /** Bytes handed to `write` and not yet taken by the kernel. */
  readonly queuedBytes: number
  /** Queues the bytes (they must not change afterwards). False when the peer is slow: wait for `onDrain`. */
  write(bytes: Uint8Array): boolean
  /**
   * All of them in order, in as few system calls as may be. `taken` is called once when the kernel has them: from then on
   * they may change. Never if the connection is over before.
   */
  writeAll(chunks: readonly Uint8Array[], taken: () => void): boolean
  /** The bytes are the handler's until it returns; the next ones may come in the same memory. */
  onData(handler: (bytes: Uint8Array) => void): void
  onDrain(handler: () => void): void
  /** Called once, when the connection is over for whatever reason. */
  onClose(handler: (error: Error | null) => void): void
  pause(): void
  resume(): void
  /** Flushes, then closes. */
  end(): void
  /** Closes now. */
  destroy(): void
}
export class NetError extends Error {
  override name = 'NetError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Long work beside the main thread. In a simulation the worker's module runs on one thread in a seeded order. */
export interface Threads {
  /**
   * The module's default export is a `ThreadMain`. `data` and messages are structured clones. The module keeps no state
   * outside that function: in a simulation all threads share one copy of it.
   */
  spawn(module: URL, data: unknown): Thread
  /**
   * The same as a process of its own at the lowest priority, whose memory, crashes and bursts of work stay away from ours.
   * `stop` kills it at once, whatever it does. It ends by itself when we do. Nothing is transferred: messages are copied.
   */
  spawnProcess(module: URL, data: unknown): Thread
}
export type ThreadMain = (port: ThreadPort, data: unknown, world: World) => void
/** Messages arrive in order. Those that come before `onMessage` wait for it. */
export interface ThreadPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  onMessage(handler: (message: unknown) => void): void
}
/** Keeps the process alive until it is stopped or has nothing left to wait for. */
export interface Thread extends ThreadPort {
  /** Called once, when the thread is over: null if it was stopped or came to its end, else what it threw. */
  onExit(handler: (error: Error | null) => void): void
  stop(): Promise<void>
}

export interface Host {
  readonly pid: number
  /** How many threads can be at work at the same time. */
  readonly cores: number
  /** Changes with every boot of the machine: a lock file of an earlier boot is stale. */
  readonly bootId: string
  readonly name: string
  env(name: string): string | undefined
  /** Is a process with this id alive on this machine? One that has ended and was not yet collected by its parent is not. */
  isAlive(pid: number): boolean
  /** What tells the process from an earlier or later one of this boot with the same id; null when nobody can say. */
  birthOf(pid: number): string | null
  /** Bytes that nobody can guess, for salts and keys. In a simulation they follow from the seed. */
  secretBytes(count: number): Uint8Array
}
