import type { Histogram } from '../common/histogram.ts'
import type { MetricsSource } from '../runtime/metric-readers.ts'
import type { RecordQueue } from '../runtime/record-queue.ts'
import type { RunningNode } from '../runtime/running-node.ts'
import type { StreamTask } from '../runtime/stream-task.ts'

/** How many samples are kept: with the default distance, a minute of durations and five minutes of records a second. */
const durationSamples = 12
const historySamples = 60
/** Rates of a shorter time say nothing. */
const leastSpanMs = 500

/** Counters of a task at some time. */
interface TaskSample {
  readonly processed: number
  /** To see whether they are the same ones still: a task that begins again has new ones, which count from 0. */
  readonly nodes: readonly RunningNode[]
  readonly taken: Float64Array
  readonly queues: readonly RecordQueue[]
  readonly read: Float64Array
}

interface Sample {
  readonly atMs: number
  readonly tasks: ReadonlyMap<StreamTask, TaskSample>
}

interface DurationSample {
  readonly atMs: number
  readonly histograms: ReadonlyMap<
    string,
    { readonly counts: Float64Array; readonly sum: number; readonly count: number }
  >
}

/** Durations of one kind, of the last minute. */
export interface StageReport {
  readonly stage: Stage
  /** Sub-topology or commit group; '': the whole instance. */
  readonly of: string
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** More than what is measured: p99 is the largest that can be told. */
  readonly isOver: boolean
}

export type Stage = 'record to processed' | 'process a record' | 'poll to poll' | 'commit' | 'write state' | 'punctuate'

/** Records a second and what waits, since some minutes ago; the newest last. */
export interface History {
  readonly everyMs: number
  readonly perSecond: readonly number[]
  readonly lag: readonly number[]
}

/** What a task did in a second, lately; null: nobody knows yet. */
export interface TaskRates {
  readonly perSecond: number | null
  /** By node, in the order of the task's nodes. */
  readonly nodes: readonly (number | null)[]
  /** By input, in the order of its queues. */
  readonly inputs: readonly (number | null)[]
}

/**
 * Reads an instance's counters now and then, so that whoever looks sees rates and what is recent at once. It reads plain
 * numbers of memory: some milliseconds for a thousand tasks.
 */
export class Sampler {
  readonly #source: () => MetricsSource
  readonly #everyMs: number
  readonly #timer: NodeJS.Timeout
  /** The last two: rates are those since the first. */
  #samples: readonly Sample[] = []
  readonly #durations: DurationSample[] = []
  readonly #perSecond: number[] = []
  readonly #lag: number[] = []

  constructor(source: () => MetricsSource, everyMs: number) {
    this.#source = source
    this.#everyMs = everyMs
    this.#timer = setInterval(() => this.sample(), everyMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  sample(): void {
    const source = this.#source()
    const sample = sampleOf(source)
    const before = this.#samples.at(-1)
    if (before !== undefined && sample.atMs > before.atMs) {
      this.#perSecond.push(Math.round((processedSince(sample, before) * 1000) / (sample.atMs - before.atMs)))
      this.#lag.push(lagOf(source))
      if (this.#perSecond.length > historySamples) this.#perSecond.shift()
      if (this.#lag.length > historySamples) this.#lag.shift()
    }
    this.#samples = [...(before === undefined ? [] : [before]), sample]
    this.#durations.push({ atMs: sample.atMs, histograms: copiesOf(source) })
    if (this.#durations.length > durationSamples) this.#durations.shift()
  }

  get history(): History {
    return { everyMs: this.#everyMs, perSecond: [...this.#perSecond], lag: [...this.#lag] }
  }

  ratesOf(task: StreamTask, nowMs: number): TaskRates {
    const sample = this.#samples.find(({ tasks }) => tasks.has(task))
    const before = sample?.tasks.get(task)
    const passedMs = sample === undefined ? 0 : nowMs - sample.atMs
    if (before === undefined || passedMs < Math.min(leastSpanMs, this.#everyMs)) {
      return { perSecond: null, nodes: task.nodes.map(() => null), inputs: task.queueList.map(() => null) }
    }
    const rate = (count: number): number => Math.max(0, (count * 1000) / passedMs)
    const isSame = before.nodes === task.nodes
    const isReadOn = before.queues === task.queueList
    return {
      perSecond: rate(task.metrics.recordsProcessed - before.processed),
      nodes: task.nodes.map(({ taken }, i) => rate(taken - (isSame ? before.taken[i]! : 0))),
      inputs: task.queueList.map(({ recordsTaken }, i) => rate(recordsTaken - (isReadOn ? before.read[i]! : 0))),
    }
  }

  /** Of the last minute; before there is one, since the start. */
  get stages(): readonly StageReport[] {
    const before = this.#durations[0]?.histograms
    return histogramsOf(this.#source()).flatMap(({ stage, of, histogram }) => {
      const past = before?.get(`${stage}/${of}`)
      const counts = histogram.counts.map((count, i) => count - (past?.counts[i] ?? 0))
      const count = histogram.count - (past?.count ?? 0)
      if (count <= 0) return []
      const { bounds } = histogram
      const meanMs = ((histogram.sum - (past?.sum ?? 0)) / count) * 1000
      const p99 = quantile(bounds, counts, count, 0.99)
      const p50Ms = quantile(bounds, counts, count, 0.5).value * 1000
      return [{ stage, of, count, meanMs, p50Ms, p99Ms: p99.value * 1000, isOver: p99.isOver }]
    })
  }
}

function sampleOf({ thread, nowMs }: MetricsSource): Sample {
  const tasks = new Map<StreamTask, TaskSample>()
  for (const task of thread?.manager.running ?? []) {
    const { nodes, queueList: queues, metrics } = task
    const taken = Float64Array.from(nodes, (node) => node.taken)
    const read = Float64Array.from(queues, ({ recordsTaken }) => recordsTaken)
    tasks.set(task, { processed: metrics.recordsProcessed, nodes, taken, queues, read })
  }
  return { atMs: nowMs, tasks }
}

function processedSince(sample: Sample, before: Sample): number {
  let sum = 0
  for (const [task, { processed }] of sample.tasks) sum += processed - (before.tasks.get(task)?.processed ?? processed)
  return Math.max(0, sum)
}

function lagOf({ thread }: MetricsSource): number {
  let sum = 0
  for (const task of thread?.manager.running ?? []) {
    for (const queue of task.queueList) sum += thread!.inputLag(queue) ?? 0
  }
  return sum
}

function histogramsOf({
  metrics,
}: MetricsSource): { readonly stage: Stage; readonly of: string; readonly histogram: Histogram }[] {
  return [
    ...[...metrics.latency].map(([of, histogram]) => ({ stage: 'record to processed' as const, of, histogram })),
    { stage: 'process a record', of: '', histogram: metrics.processing },
    { stage: 'punctuate', of: '', histogram: metrics.punctuations },
    ...[...metrics.commits].map(([of, histogram]) => ({ stage: 'commit' as const, of, histogram })),
    { stage: 'write state', of: '', histogram: metrics.persists },
    { stage: 'poll to poll', of: '', histogram: metrics.pollIntervals },
  ]
}

const copiesOf = (source: MetricsSource): DurationSample['histograms'] =>
  new Map(
    histogramsOf(source).map(({ stage, of, histogram: { counts, sum, count } }) => [
      `${stage}/${of}`,
      { counts: counts.slice(), sum, count },
    ]),
  )

/** As Prometheus' histogram_quantile: spread evenly within a bucket. */
function quantile(
  bounds: readonly number[],
  counts: Float64Array,
  count: number,
  part: number,
): { readonly value: number; readonly isOver: boolean } {
  const wanted = count * part
  let below = 0
  for (const [i, bound] of bounds.entries()) {
    const inside = counts[i]!
    if (inside > 0 && below + inside >= wanted) {
      const from = i === 0 ? 0 : bounds[i - 1]!
      return { value: from + ((bound - from) * (wanted - below)) / inside, isOver: false }
    }
    below += inside
  }
  return { value: bounds.at(-1) ?? 0, isOver: true }
}
