// The lying world: virtual time, a disk that forgets what was not synced, a network that drops, threads in a seeded
// order. Everything follows from the seed: the same seed gives the same run, event by event.
//
//   const simulation = simulate({ seed: 7 })
//   const first = await simulation.run((world) => writeSomething(world))   // may end in a crash
//   const next = await simulation.run((world) => readItBack(world))        // the next life, on what the disk kept
import { type RandomStream, randomStream } from '../src/std/random.ts'
import type { World } from '../src/world/world.ts'
import type { Disk } from './disk.ts'
import { simFileSystem } from './file-system.ts'
import { type Context, type CrashKind, type DiskFaults, epochMs, Machine, noFaults } from './machine.ts'
import { calmNetwork, type NetworkFaults, SimNetwork, simNetwork } from './network.ts'
import { type Lane, Scheduler } from './scheduler.ts'
import { simThreads } from './threads.ts'

export interface SimulationSettings {
  readonly seed: string | number
  readonly faults?: Partial<DiskFaults>
  readonly network?: Partial<NetworkFaults>
  readonly capacityBytes?: number
  /** What survives a power cut as a whole. Default: drawn from the seed. */
  readonly sectorBytes?: 512 | 4096
  /** The same run up to its first crash, other remains of it. */
  readonly crashOutcome?: number
  /** Keep a line for every operation and crash, to look at or to compare. */
  readonly keepTrace?: boolean
}

/** How a life ended. `stalled`: nothing was left to happen; `hung`: it took more events than it may. */
export type LifeEnd<T> =
  | { readonly end: 'returned'; readonly value: T }
  | { readonly end: 'threw'; readonly error: unknown }
  | { readonly end: 'crashed'; readonly kind: CrashKind }
  | { readonly end: 'stalled' | 'hung' }

const stepsPerLifeMax = 500_000

export class Simulation {
  readonly scheduler: Scheduler
  readonly machine: Machine
  readonly network: SimNetwork
  readonly random: RandomStream
  readonly #processes = new Set<SimProcess>()
  readonly #bootRandom: RandomStream
  #bootId = ''
  #nextPid = 100

  constructor(settings: SimulationSettings) {
    const random = randomStream(settings.seed)
    this.random = random.fork('script')
    this.scheduler = new Scheduler(random.fork('scheduler'))
    this.machine = new Machine(this.scheduler, random.fork('machine'), {
      faults: { ...noFaults, ...settings.faults },
      capacityBytes: settings.capacityBytes ?? Infinity,
      sectorBytes: settings.sectorBytes ?? (random.fork('sector').below(2) === 0 ? 512 : 4096),
      keepTrace: settings.keepTrace ?? false,
      crashOutcome: settings.crashOutcome ?? 0,
    })
    this.network = new SimNetwork(this.scheduler, random.fork('network'), { ...calmNetwork, ...settings.network })
    this.#bootRandom = random.fork('boot')
    this.#boot()
  }

  /** Starts a process on the machine. Its world stands still until `runUntil` or `run` lets time go by. */
  start(): SimProcess {
    const process = new SimProcess(this, this.#nextPid++)
    this.#processes.add(process)
    return process
  }

  /** One life: starts a process, runs `main` in it until it returns or the process dies; then the process is gone. */
  async run<T>(main: (world: World, process: SimProcess) => Promise<T>): Promise<LifeEnd<T>> {
    const process = this.start()
    let outcome: LifeEnd<T> | null = null
    main(process.world, process).then(
      (value) => {
        outcome ??= { end: 'returned', value }
      },
      (error: unknown) => {
        outcome ??= { end: 'threw', error }
      },
    )
    const ending = await this.scheduler.run(() => outcome !== null || !process.alive, stepsPerLifeMax)
    const death = process.death
    if (death !== null) return { end: 'crashed', kind: death } // whatever it still computed, nobody saw it
    process.crash('kill')
    return ending === 'done' ? outcome! : { end: ending }
  }

  /** Lets time go by until `done()`. Answers false if nothing is left to happen, or too much happens before. */
  async runUntil(done: () => boolean, stepsMax = stepsPerLifeMax): Promise<boolean> {
    return (await this.scheduler.run(done, stepsMax)) === 'done'
  }

  /** Every process dies, and the machine boots again with what its disk kept. */
  powerCut(): void {
    const { machine } = this
    machine.note('power cut')
    const lost = machine.disk
    machine.disk = lost.afterPowerCut(machine.crashRandom, machine.faults.survival)
    for (const process of this.#processes) process.died('power', lost)
    this.#buryDead()
    this.#boot()
  }

  kill(victim: SimProcess): void {
    const { machine } = this
    machine.note(`kill ${victim.pid}`)
    const lost = machine.disk
    machine.disk = lost.afterKill()
    victim.died('kill', lost)
    this.#buryDead()
  }

  isAlive(pid: number): boolean {
    for (const other of this.#processes) if (other.pid === pid) return true
    return false
  }
  get bootId(): string {
    return this.#bootId
  }

  #buryDead(): void {
    this.network.abandon((context) => !context.alive)
    for (const process of this.#processes) if (!process.alive) this.#processes.delete(process)
  }

  #boot(): void {
    this.#bootId = `boot-${this.#bootRandom.u32().toString(16).padStart(8, '0')}`
  }
}

export function simulate(settings: SimulationSettings): Simulation {
  return new Simulation(settings)
}

export class SimProcess implements Context {
  readonly pid: number
  readonly random: RandomStream
  readonly world: World
  /** Added to this process's wall clock; may be changed at any time. */
  wallOffsetMs = 0
  #secrets = 0
  readonly #simulation: Simulation
  readonly #env = new Map<string, string>()
  #death: CrashKind | null = null
  /** What its last turn still writes to. */
  #lostDisk: Disk | null = null
  readonly #abandon: (() => void)[] = []

  constructor(simulation: Simulation, pid: number) {
    this.#simulation = simulation
    this.pid = pid
    this.random = simulation.random.fork(`process-${pid}`)
    this.world = this.#worldFor(this)
  }

  get alive(): boolean {
    return this.#death === null
  }
  get death(): CrashKind | null {
    return this.#death
  }
  get disk(): Disk {
    return this.#lostDisk ?? this.#simulation.machine.disk
  }

  setEnv(name: string, value: string): void {
    this.#env.set(name, value)
  }

  after(delayMs: number, run: () => void): { cancel(): void } {
    return this.#simulation.scheduler.after(delayMs, () => {
      if (this.alive) run()
    })
  }

  crash(kind: CrashKind): void {
    if (!this.alive) return
    if (kind === 'power') this.#simulation.powerCut()
    else this.#simulation.kill(this)
  }

  /** Called by the simulation, once the machine has the disk of the time after. */
  died(kind: CrashKind, lost: Disk): void {
    this.#death = kind
    this.#lostDisk = lost
    if (kind === 'kill') for (const abandon of this.#abandon) abandon()
  }

  #worldFor(context: Context): World {
    const { machine, scheduler, network } = this.#simulation
    const soon: Lane = scheduler.lane()
    const files = simFileSystem(machine, context)
    this.#abandon.push(files.abandon)
    return {
      clock: {
        nowMs: () => Math.floor(epochMs + scheduler.nowMs + this.wallOffsetMs),
        monoMs: () => scheduler.nowMs,
        timer: (delayMs, callback, options) => context.after(delayMs + machine.random.float(), callback, options),
        sleep: (delayMs) =>
          new Promise((resolve) => {
            context.after(delayMs + machine.random.float(), resolve)
          }),
        soon: (callback) => {
          soon.after(0.001, () => {
            if (context.alive) callback()
          })
        },
      },
      random: context.random,
      fs: files.fs,
      net: simNetwork(network, context),
      threads: simThreads(machine, context, (inner) => this.#worldFor(inner)),
      host: {
        pid: this.pid,
        cores: 1,
        bootId: this.#simulation.bootId,
        name: 'simulated',
        env: (name) => this.#env.get(name),
        isAlive: (pid) => this.#simulation.isAlive(pid),
        // Process ids are never given out twice here.
        birthOf: String,
        secretBytes: (count) => context.random.fork(`secret ${this.#secrets++}`).fill(new Uint8Array(count)),
      },
    }
  }
}
