import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFaultyLog } from '../../src/adapters/embedded/embedded-log.ts'
import { type Broker, type Logger, partitionForKey, StoreNotAvailableError, Streams } from '../../src/index.ts'
import type { Seams } from '../../src/runtime/streams-config.ts'
import { closeAllIn } from '../../src/state/open-databases.ts'
import { cleanLog } from '../support/clean-log.ts'
import { check, type WrittenRecord } from './check.ts'
import { compareStores } from './compare-stores.ts'
import { costsState, type Damage, damages, doDamage } from './damage.ts'
import { Random } from './random.ts'
import { SimClock, startMs } from './sim-clock.ts'
import { endsIt, type SimFaults, SimInstance } from './sim-instance.ts'
import { applicationId, inputPartitions, keepsDeletionsMs, keys, simTopology } from './sim-topology.ts'

export interface SimulationOptions {
  readonly seed: number
  /** Breaks the engine on purpose. */
  readonly seams?: Seams
  readonly log?: (text: string) => void
}

export interface SimulationReport {
  readonly seed: number
  /** What does not hold, in words; empty when all is well. */
  readonly wrong: readonly string[]
  readonly faults: ReadonlyMap<string, number>
  readonly written: number
}

const faultyMs = 1200
const settleMs = 60_000
/** Of virtual time, between two records. */
const recordEveryMs = 20
const tasksInAll = 3 * inputPartitions

interface Process {
  readonly name: string
  readonly folder: string
  instance: SimInstance | null
  streams: Streams | null
  isClosing: boolean
}

/**
 * One run of one seed (design §5.3): up to three instances of an application on one log, all in this process, under virtual
 * time. What happens, and when, comes from the seed: the same seed gives the same run.
 */
export async function simulate({
  seed,
  seams = {},
  log = () => undefined,
}: SimulationOptions): Promise<SimulationReport> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'simulation-'))
  try {
    return await new Simulation(seed, seams, log, folder).run()
  } finally {
    closeAllIn(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class Simulation {
  readonly #seed: number
  readonly #seams: Seams
  readonly #log: (text: string) => void
  readonly #random: Random
  readonly #clock = new SimClock()
  readonly #broker: Broker
  readonly #faults: SimFaults
  readonly #counts = new Map<string, number>()
  readonly #wrong: string[] = []
  readonly #processes: readonly Process[]
  readonly #store: ReturnType<typeof openFaultyLog>['store']
  /** Probability that a commit step is the last thing a process does. */
  #killProbability: number
  #isSettling = false
  readonly #written: WrittenRecord[] = []
  /** How likely the changelogs are compacted in a millisecond. */
  readonly #cleans: number
  /** Deletions that compaction has met, by where they are: when. */
  readonly #deletions = new Map<string, number>()
  readonly #damage: Damage | null

  constructor(seed: number, seams: Seams, log: (text: string) => void, folder: string) {
    this.#seed = seed
    this.#seams = seams
    this.#log = log
    this.#random = new Random(seed)
    const probability = this.#random.pick([0, 0.02, 0.1])
    this.#killProbability = this.#random.pick([0, 0.01, 0.05])
    const lateMarkers = this.#random.pick([0, 0.1, 0.5])
    const marker = new Random(seed + 1)
    // Longer than it takes to begin again after a failure.
    const longestMs = this.#random.pick([20, 400])
    const { broker, store } = openFaultyLog(this.#clock, {
      delayMarker: () => {
        if (this.#isSettling || !marker.chance(lateMarkers)) return null
        this.#count('marker delayed')
        return this.#clock.sleep(1 + marker.below(longestMs))
      },
    })
    this.#broker = broker
    this.#store = store
    const slowReaders = this.#random.pick([0, 0, 0.7])
    this.#cleans = this.#random.pick([0, 0.02])
    this.#damage = this.#random.chance(0.25) ? this.#random.pick(damages) : null
    this.#faults = { probability, slowReaders, random: this.#random, count: (fault) => this.#count(fault) }
    this.#processes = Array.from({ length: 1 + this.#random.below(3) }, (_, i) => ({
      name: `process ${i}`,
      folder: join(folder, String(i)),
      instance: null,
      streams: null,
      isClosing: false,
    }))
    for (const [i, each] of this.#processes.entries()) {
      // Who an instance is must come from the seed too.
      mkdirSync(join(each.folder, applicationId), { recursive: true })
      writeFileSync(join(each.folder, applicationId, 'process-id'), `00000000-0000-4000-8000-00000000000${i}`)
    }
  }

  async run(): Promise<SimulationReport> {
    await this.#ahead(
      this.#broker.admin.createTopics([
        { topic: 'events', partitions: inputPartitions },
        { topic: 'numbers', partitions: inputPartitions },
        ...['echo', 'groups', 'lasts'].map((topic) => ({ topic, partitions: 1 })),
      ]),
    )
    for (const each of this.#processes) this.#start(each)
    const { probability, slowReaders } = this.#faults
    const killProbability = this.#killProbability
    await this.#goWrong(faultyMs)
    await this.#settle()
    if (this.#damage !== null && this.#wrong.length === 0) {
      await this.#suffer(this.#damage)
      Object.assign(this.#faults, { probability, slowReaders })
      this.#killProbability = killProbability
      await this.#goWrong(faultyMs / 2)
      await this.#settle()
    }
    await this.#close()
    const hasLostState = this.#damage !== null && costsState(this.#damage)
    if (this.#wrong.length === 0)
      this.#wrong.push(...(await this.#ahead(check(this.#broker, this.#written, hasLostState))))
    for (const { instance } of this.#processes) instance?.kill()
    await this.#broker.close()
    return { seed: this.#seed, wrong: this.#wrong, faults: this.#counts, written: this.#written.length }
  }

  /** Virtual time goes on while something is waited for. */
  async #ahead<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const finished = promise.finally(() => (isDone = true))
    finished.catch(() => undefined)
    for (let i = 0; !isDone && i < 100_000; i++) {
      await turn()
      this.#clock.advance(1)
    }
    return finished
  }

  async #goWrong(forMs: number): Promise<void> {
    this.#isSettling = false
    await this.#write()
    for (let elapsed = 0; elapsed < forMs; elapsed++) {
      if (this.#random.chance(1 / recordEveryMs)) await this.#write()
      if (this.#random.chance(1 / 80)) this.#disturb()
      if (this.#random.chance(this.#cleans)) await this.#ahead(this.#clean())
      await turn()
      this.#clock.advance(1)
    }
  }

  /** Compacts the changelogs, deletions too, once the time is over for which they are kept. */
  async #clean(): Promise<void> {
    this.#count('changelogs compacted')
    const nowMs = this.#clock.nowMs()
    for (const store of ['groups', 'lasts']) {
      const topic = `${applicationId}-${store}-changelog`
      await cleanLog(this.#store, topic, (partition, offset) => {
        const at = `${topic} ${partition} ${offset}`
        const sinceMs = this.#deletions.get(at) ?? nowMs
        this.#deletions.set(at, sinceMs)
        return nowMs - sinceMs >= keepsDeletionsMs
      })
    }
  }

  /** All is processed. Who loses state is not running: it would go on with what it has. */
  async #suffer(damage: Damage): Promise<void> {
    // What nobody reads, for its task is on the way from one to another, nobody sees cut.
    await this.#ahead(this.#clock.sleep(2000))
    while (!this.#haveAllTasks()) await this.#ahead(this.#clock.sleep(100))
    this.#count(damage)
    this.#log(`${this.#clock.nowMs() - startMs} ${damage}`)
    if (costsState(damage)) for (const each of this.#processes) this.#kill(each, 'killed for the damage')
    // State that is not opened now is not compared with a changelog before that has grown over it again: no epochs are kept.
    const isSeen = damage !== 'changelogs cut' || this.#processes.length === 1
    // State whose last commit was acknowledged without an offset stands for more than its position says: nobody sees that the end was lost.
    const isAhead = this.#counts.has('acknowledgement without offset')
    const seen = isSeen ? damage : 'changelogs aborted'
    const done = isAhead && seen === 'changelogs aborted' ? 'changelogs made anew' : seen
    await this.#ahead(doDamage(done, this.#broker, this.#store, this.#random))
    this.#deletions.clear()
    // Who is stopped now, or dies, cannot tell that it was cut: it has to be looked at before.
    for (const each of this.#processes) if (each.streams === null) this.#start(each)
    await this.#ahead(this.#clock.sleep(600))
    await this.#settle()
  }

  /** Nothing goes wrong any more, and what is left is processed. */
  async #settle(): Promise<void> {
    this.#isSettling = true
    this.#faults.probability = this.#faults.slowReaders = 0
    this.#killProbability = 0
    for (const each of this.#processes) {
      each.instance?.continue()
      if (each.streams === null) this.#start(each)
    }
    for (let elapsed = 0; elapsed < settleMs; elapsed += 2) {
      await turn()
      this.#clock.advance(2)
      if (elapsed % 100 === 0 && this.#areRunning() && (await this.#ahead(this.#isDone()))) return this.#compare()
      if (this.#wrong.length > 0) return
    }
    const states = this.#processes.map(({ name, streams }) => {
      const { state, generationId, tasks } = streams?.describeState() ?? { state: 'gone', generationId: -1, tasks: [] }
      const each = tasks.map(({ taskId, phase, lag }) => `${taskId} ${phase} ${lag}`)
      return `${name} is ${state} in generation ${generationId} with ${each.join(', ')}`
    })
    this.#wrong.push(`not all was processed in ${settleMs} ms: ${states.join('; ')}`)
  }

  /** What every store has is what its changelog says, once copies have been told of the last changes. */
  async #compare(): Promise<void> {
    let wrong: readonly string[] = []
    for (let attempt = 0; attempt < 200; attempt++) {
      const all = this.#processes.flatMap(({ streams }) => streams ?? [])
      try {
        wrong = await this.#ahead(compareStores(this.#broker, all))
      } catch (error) {
        // A task is on its way from one to another.
        if (!(error instanceof StoreNotAvailableError)) throw error
        wrong = [error.message]
      }
      if (wrong.length === 0) return
      await this.#ahead(this.#clock.sleep(100))
    }
    this.#wrong.push(...wrong)
  }

  /** What is frozen goes to disk, for `check` to see. */
  async #close(): Promise<void> {
    await this.#ahead(Promise.all(this.#processes.map(async ({ streams }) => streams?.close())))
    // Markers that were held back arrive.
    await this.#ahead(this.#clock.sleep(500))
  }

  #areRunning(): boolean {
    return this.#processes.every(({ streams }) => streams?.state === 'running')
  }

  #haveAllTasks(): boolean {
    const tasks = this.#processes.flatMap(({ streams }) => streams?.describeState().tasks ?? [])
    return this.#areRunning() && tasks.filter(({ phase }) => phase === 'running').length === tasksInAll
  }

  async #isDone(): Promise<boolean> {
    for (const topic of ['events', 'numbers', `${applicationId}-by-group-repartition`]) {
      const at = Array.from({ length: inputPartitions }, (_, partition) => ({ topic, partition }))
      const ends = await this.#broker.admin.listOffsets(at, 'latest')
      const committed = await this.#broker.admin.committedOffsets(applicationId, at, { requireStable: false })
      if (committed.some(({ offset }, i) => Math.max(0, offset) < ends[i]!)) return false
    }
    return true
  }

  #start(each: Process): void {
    const instance = new SimInstance(this.#broker, this.#store, this.#clock, this.#faults)
    const streams = new Streams(
      {
        topology: simTopology((ms) => instance.sleep(ms)),
        applicationId,
        broker: instance,
        stateDir: each.folder,
        clock: instance,
        logger: this.#loggerOf(each.name),
        commitIntervalMs: 10,
        persistIntervalMs: 60,
        repartitionPurgeIntervalMs: 200,
        heartbeatIntervalMs: 30,
        sessionTimeoutMs: 200,
        rebalanceTimeoutMs: 400,
        standbyReplicas: this.#seed % 2,
        acceptableRecoveryLag: this.#random.pick([0, 5, 1000]),
        onCommitStep: () => {
          if (this.#random.chance(this.#killProbability)) this.#kill(each, 'killed in a commit')
        },
      },
      this.#seams,
    )
    each.instance = instance
    each.streams = streams
    this.#log(`${this.#clock.nowMs() - startMs} ${each.name} starts`)
    streams.start().catch(() => undefined) // told below
    void streams.stopped.then((error) => {
      if (error === null || instance.isKilled) return
      if (error.message.startsWith(endsIt)) return this.#kill(each, 'ended by a refusal')
      this.#wrong.push(`${each.name} failed: ${error.stack}`)
    })
  }

  #loggerOf(name: string): Logger {
    const say = (fields: object, text: string): void =>
      this.#log(`${this.#clock.nowMs() - startMs} ${name}: ${text} ${JSON.stringify(fields)}`)
    return { debug: () => undefined, info: say, warn: say, error: say }
  }

  #disturb(): void {
    const each = this.#random.pick(this.#processes)
    const { instance, streams } = each
    const dice = this.#random.next()
    if (instance === null || streams === null) return this.#start(each)
    if (instance.isStopped || each.isClosing) return
    if (dice < 0.35) return this.#kill(each, 'killed')
    if (dice < 0.5) {
      this.#kill(each, 'killed, its disk lost')
      closeAllIn(each.folder)
      for (const name of ['0_0', '0_1', '1_0', '1_1', '2_0', '2_1']) {
        rmSync(join(each.folder, applicationId, name), { recursive: true, force: true })
      }
      return
    }
    if (dice < 0.75) {
      this.#count('stopped and continued')
      this.#log(`${this.#clock.nowMs() - startMs} ${each.name} is stopped`)
      instance.stop()
      void this.#clock.sleep(20 + this.#random.below(500)).then(() => instance.continue())
      return
    }
    if (dice < 0.9) {
      this.#count('closed')
      each.isClosing = true
      this.#log(`${this.#clock.nowMs() - startMs} ${each.name} is closed`)
      void streams.close().then(() => {
        each.isClosing = false
        if (each.streams !== streams) return
        each.streams = each.instance = null
        this.#start(each)
      })
    }
  }

  #kill(each: Process, how: string): void {
    if (each.instance === null) return
    this.#count(how)
    this.#log(`${this.#clock.nowMs() - startMs} ${each.name} is ${how}`)
    each.instance.kill()
    each.instance = null
    each.streams = null
    each.isClosing = false
    closeAllIn(each.folder)
    // Sometimes at once, sometimes after the others have taken over.
    void this.#clock.sleep(this.#random.below(500)).then(() => {
      if (each.streams === null) this.#start(each)
    })
  }

  async #write(): Promise<void> {
    const producer = await this.#ahead(this.#broker.openProducer())
    const name = this.#random.pick(keys)
    const key = Buffer.from(name)
    const value = Buffer.alloc(8)
    value.writeBigInt64BE(BigInt(this.#written.length))
    this.#written.push({ key: name, number: this.#written.length })
    const partition = partitionForKey(key, inputPartitions)
    for (const topic of ['events', 'numbers']) producer.append(topic, partition, key, value, this.#clock.nowMs())
    await this.#ahead(producer.flush())
  }

  #count(fault: string): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + 1)
  }
}
