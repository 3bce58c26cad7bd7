// What a job says that cannot find the place where it stood.

/** The place that a job has committed is not met on the way from where its state can be had. */
export class ReplayError extends Error {
  override name = 'ReplayError'
  readonly cure: string
  constructor(job: string, isWhole: boolean) {
    const from = isWhole ? 'its beginning, for no snapshot fits its plans,' : 'the newest snapshot that fits its plans'
    super(
      `job ${job}: the log was read from ${from} to its end, and the place that the job has committed was not met: its ` +
        'plans read other topics than they did, or what it had read last was deleted. Nothing was changed',
    )
    this.cure =
      'start the release, with the plans, that ran before; restore data directory and snapshots from a backup; or give ' +
      'the job another name: it is computed anew from what the log still holds'
  }
}
