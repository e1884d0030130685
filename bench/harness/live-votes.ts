import { type LogProducer, type LogReader, partitionForKey } from '../../packages/stream-core/src/index.ts'
import { random } from '../workloads/random.ts'
import { type Cluster, partitions } from '../workloads/workload.ts'

const tickMs = 5
/** A pause of this process is not made up for in one blow. */
const catchUpMs = 100

/** A result that came: how long after its vote was sent, and where it was. */
export interface Result {
  readonly key: string
  readonly count: number
  readonly latencyMs: number
  readonly partition: number
  readonly atMs: number
}

/**
 * Votes at an even pace, and the results that come for them, in this process: whoever votes and whoever looks share a clock.
 * The voter is one of `voters`.
 */
export class LiveVotes {
  sent = 0
  received = 0
  readonly sentByKey = new Map<string, number>()
  readonly #producer: LogProducer
  readonly #reader: LogReader
  readonly #input: string
  readonly #voters: number
  readonly #onResult: (result: Result) => void
  readonly #next = random(1234)
  #ratePerSecond = 0
  #lastMs = performance.now()
  #owed = 0
  #flushing: Promise<void> | null = null
  #failure: unknown = null
  #isClosed = false
  readonly #pace: NodeJS.Timeout
  readonly #reading: Promise<void>

  private constructor(producer: LogProducer, reader: LogReader, options: LiveVotesOptions) {
    this.#producer = producer
    this.#reader = reader
    this.#input = options.input
    this.#voters = options.voters
    this.#onResult = options.onResult
    this.#pace = setInterval(() => this.#tick(), tickMs)
    this.#reading = this.#read()
  }

  static async open({ broker }: Cluster, options: LiveVotesOptions): Promise<LiveVotes> {
    const reader = broker.openReader()
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic: options.output, partition, offset: 0 }))
    reader.assign(all)
    return new LiveVotes(await broker.openProducer(), reader, options)
  }

  set ratePerSecond(rate: number) {
    this.#ratePerSecond = rate
  }

  /** Votes once for each voter, as fast as it goes. */
  async everybodyVotes(): Promise<void> {
    for (let voter = 0; voter < this.#voters; voter++) {
      this.#vote(voter)
      if (voter % 10_000 === 9_999) await this.#producer.flush()
    }
    await this.#producer.flush()
  }

  /** Resolves with false if not every vote has its result by then. */
  async drained(limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs
    while (this.received < this.sent || this.#flushing !== null) {
      if (this.#failure !== null) throw this.#failure
      if (performance.now() > endMs) return false
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return true
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#pace)
    this.#reader.wakeup()
    await this.#reading
    await this.#flushing
    await this.#reader.close()
    await this.#producer.close()
  }

  #tick(): void {
    const nowMs = performance.now()
    this.#owed += (Math.min(nowMs - this.#lastMs, catchUpMs) / 1000) * this.#ratePerSecond
    this.#lastMs = nowMs
    while (this.#owed >= 1) {
      this.#owed--
      this.#vote(this.#next() % this.#voters)
    }
    if (this.#flushing !== null || this.#producer.pendingBytes === 0) return
    this.#flushing = this.#producer
      .flush()
      .catch((error: unknown) => void (this.#failure = error))
      .finally(() => void (this.#flushing = null))
  }

  #vote(voter: number): void {
    const name = `voter-${voter}`
    const key = Buffer.from(name, 'latin1')
    const ts = Date.now()
    const [poll, option] = [`p${this.#next() % 10}`, `o${this.#next() % 5}`]
    const value = `{"poll":"${poll}","voter":"${name}","option":"${option}","region":"r${voter % 16}","ts":${ts}}`
    this.#producer.append(this.#input, partitionForKey(key, partitions), key, value, ts)
    this.sent++
    this.sentByKey.set(name, (this.sentByKey.get(name) ?? 0) + 1)
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      for (const { partition, records } of await this.#reader.poll(200)) {
        while (records.next()) {
          this.received++
          const [count, ts] = String(records.value()).split('|')
          const latencyMs = Date.now() - Number(ts)
          const atMs = performance.now()
          this.#onResult({ key: String(records.key()), count: Number(count), latencyMs, partition, atMs })
        }
      }
    }
  }
}

export interface LiveVotesOptions {
  readonly input: string
  readonly output: string
  readonly voters: number
  readonly onResult: (result: Result) => void
}
