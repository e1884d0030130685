import { monotonicMs } from '../common/clock.ts'
import { FencedError, MemberLostError } from '../common/errors.ts'
import { Histogram } from '../common/histogram.ts'
import type { Placement } from '../assignment/user-data.ts'
import type { Rebalance, RebalanceReason } from './group-session.ts'
import { StoreTimes } from '../state/store-times.ts'
import type { CommitGroupName } from './producers.ts'
import type { StreamTask } from './stream-task.ts'
import type { StreamsConfig } from './streams-config.ts'
import { Timeline } from './timeline.ts'

/** What the loop of an instance does with its time. What is in none of them: other work of the process. */
export type LoopPhase = 'poll' | 'process' | 'punctuate' | 'commit'

const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const recordBounds = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 0.025, 0.1, 1]
const latencyBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
const rebalanceBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
/** Ratios are those of the last whole span of this length. */
const spanMs = 10_000

/** Plain counters of an instance; read when somebody asks, never by the hot path. */
export class ThreadMetrics {
  readonly commits = new Map<CommitGroupName, Histogram>()
  commitFailures = 0
  /** Errors that nothing has mended. */
  failures = 0
  readonly persists = new Histogram(durationBounds)
  /** Of each slice, the mean of its records. */
  readonly processing = new Histogram(recordBounds)
  readonly punctuations = new Histogram(durationBounds)
  readonly pollIntervals = new Histogram(durationBounds)
  /** null: they are not timed. */
  readonly stores: StoreTimes | null
  /** By sub-topology: from a record's time to when it was processed, of one record in each slice. */
  readonly latency = new Map<string, Histogram>()
  /** By sub-topology: records that its tasks have written. */
  readonly produced = new Map<number, { records: number }>()
  /** Where each input ends, as of the last fetch that brought something. */
  readonly ends = new Map<string, number>()
  readonly rebalances = new Map<RebalanceReason, number>()
  readonly rebalanceDurations = new Histogram(rebalanceBounds)
  lastRebalanceMs = -1
  /** Transactions that were given up, and memberships that were lost: everything began again from the last commit. */
  readonly recoveries = { transaction: 0, membership: 0 }
  transactionAborts = 0
  fenced = 0
  /** What has happened to this instance. */
  readonly timeline: Timeline
  restoredRecords = 0
  standbyRecords = 0
  readonly busyMs: { [phase in LoopPhase]: number } = { poll: 0, process: 0, punctuate: 0, commit: 0 }
  /** null: no whole span has gone by. */
  ratios: { readonly [phase in LoopPhase]: number } | null = null
  #spanStartMs = -1
  #spanStart = { ...this.busyMs }

  constructor({ metricsLevel, clock }: Pick<StreamsConfig, 'metricsLevel' | 'clock'>) {
    this.timeline = new Timeline(() => clock.nowMs())
    this.stores = metricsLevel === 'debug' ? new StoreTimes(() => monotonicMs(clock)) : null
  }

  commitsOf(name: CommitGroupName): Histogram {
    return found(this.commits, name, () => new Histogram(durationBounds))
  }

  producedBy(subtopology: number): { records: number } {
    return found(this.produced, subtopology, () => ({ records: 0 }))
  }

  /** A record of this time was processed about now. Once per slice. */
  noteLatency({ taskId }: StreamTask, recordMs: number, nowMs: number): void {
    const subtopology = taskId.slice(0, taskId.indexOf('_'))
    const histogram = found(this.latency, subtopology, () => new Histogram(latencyBounds))
    histogram.observe(Math.max(0, nowMs - recordMs) / 1000)
  }

  noteRecovery(error: Error, guarantee: StreamsConfig['guarantee']): void {
    this.timeline.note('recovery', `back to the last commit: ${error.message}`)
    const isFenced = error instanceof FencedError
    this.recoveries[isFenced || error instanceof MemberLostError ? 'membership' : 'transaction']++
    if (isFenced) this.fenced++
    if (guarantee === 'exactly-once') this.transactionAborts++
  }

  /** `placements`: where the tasks of the whole group are now. */
  noteRebalance(rebalance: Rebalance, nowMs: number, placements: readonly Placement[]): void {
    const { reason, durationMs } = rebalance
    this.timeline.noteRebalance(rebalance, placements)
    this.rebalances.set(reason, (this.rebalances.get(reason) ?? 0) + 1)
    this.rebalanceDurations.observe(durationMs / 1000)
    this.lastRebalanceMs = nowMs
  }

  /** After each round. */
  roll(nowMs: number): void {
    if (this.#spanStartMs < 0) this.#spanStartMs = nowMs
    const passedMs = nowMs - this.#spanStartMs
    if (passedMs < spanMs) return
    const ratio = (phase: LoopPhase): number => (this.busyMs[phase] - this.#spanStart[phase]) / passedMs
    this.ratios = {
      poll: ratio('poll'),
      process: ratio('process'),
      punctuate: ratio('punctuate'),
      commit: ratio('commit'),
    }
    this.#spanStartMs = nowMs
    this.#spanStart = { ...this.busyMs }
  }
}

function found<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
