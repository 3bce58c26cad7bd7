// How a job paces itself: steps, commits, snapshots.

/** Entries taken in one step: about 4 ms of work, so that sockets and timers get their turn. */
export const stepBytesMax = 1 << 20
/** Uncommitted output that makes the job wait for its commit. */
export const pendingOutputBytesMax = 16 << 20
/** With nothing due, progress is committed this often: it only shortens a replay. */
export const idleCommitMs = 1000
export const snapshotEveryMs = 5000
export const snapshotEveryBytes = 64 << 20
