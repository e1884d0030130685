import type { MetricsSource } from '../runtime/metric-readers.ts'
import { parts } from '../runtime/metric-readers.ts'
import type { StreamTask } from '../runtime/stream-task.ts'
import type { TimelineEvent } from '../runtime/timeline.ts'
import { topologyHash } from '../runtime/topology-hash.ts'
import type { History, Sampler, StageReport } from './sampler.ts'

/** What an instance says of itself: to the others, and to whoever asks for `instance.json`. */
export interface InstanceReport {
  /** Of this form; another one is not read. */
  readonly v: 1
  /** null: it has not come so far. */
  readonly processId: string | null
  readonly applicationId: string
  readonly topologyHash: string
  readonly state: string
  readonly isPaused: boolean
  /** Why it has failed. */
  readonly error: string | null
  /** By its own clock. */
  readonly atMs: number
  /** Of the group; −1: it is no member. */
  readonly generationId: number
  /** Where the tasks of the group are, as of that generation. */
  readonly members: readonly Member[]
  /** How many partitions, and so tasks, each sub-topology has. */
  readonly widths: readonly { readonly subtopology: number; readonly partitions: number }[]
  readonly tasks: readonly TaskReport[]
  readonly nodes: readonly NodeReport[]
  readonly stages: readonly StageReport[]
  /** What its loop did with the last ten seconds, as shares; null: not known yet. */
  readonly load: {
    readonly poll: number
    readonly process: number
    readonly punctuate: number
    readonly commit: number
  } | null
  readonly history: History
  readonly counts: Counts
  readonly deadLetters: readonly { readonly topic: string; readonly class: string; readonly count: number }[]
  /** Oldest first. */
  readonly events: readonly TimelineEvent[]
  /** What the program adds. */
  readonly facts: readonly { readonly name: string; readonly value: string }[]
}

/** Since the instance was started. */
export interface Counts {
  readonly commits: number
  readonly commitFailures: number
  readonly recoveries: number
  readonly transactionAborts: number
  readonly fenced: number
  readonly failures: number
}

export interface Member {
  readonly processId: string
  readonly endpoint: string | null
  readonly active: readonly string[]
  readonly standby: readonly string[]
}

export interface TaskReport {
  readonly taskId: string
  readonly phase: 'running' | 'restoring' | 'standby'
  /** Records that wait: of its inputs while it runs, else of its changelogs. null: not known. */
  readonly lag: number | null
  /** Age of the oldest record that waits, 0 where none does; null: not known, or it does not run. */
  readonly lagMs: number | null
  readonly processed: number
  readonly perSecond: number | null
  /** Largest event time it has seen. */
  readonly streamTimeMs: number | null
  readonly late: number
  readonly inputs: readonly InputReport[]
  readonly stores: readonly { readonly name: string; readonly memoryEntries: number }[]
  /** While it gets its state. */
  readonly restore: RestoreReport | null
}

export interface InputReport {
  readonly topic: string
  readonly partition: number
  /** Offset of the next record. */
  readonly position: number
  readonly lag: number | null
  /** Age of the record that is next, 0 where none waits; null: not known. */
  readonly lagMs: number | null
  readonly perSecond: number | null
}

export interface RestoreReport {
  /** Offsets of changelogs that were read, and are still to be read. */
  readonly done: number
  readonly left: number
  readonly etaMs: number | null
  /** Where each changelog began to be read (behind what is on this disk), where that is now, and where it ends. */
  readonly changelogs: readonly {
    readonly topic: string
    readonly from: number
    readonly position: number
    readonly end: number
  }[]
}

/** A processor or sink, over the tasks that run here. */
export interface NodeReport {
  readonly node: string
  readonly taken: number
  readonly perSecond: number | null
  readonly dropped: readonly { readonly reason: string; readonly count: number }[]
}

export interface ReportParts {
  readonly source: MetricsSource
  readonly sampler: Sampler
  readonly isPaused: boolean
  readonly facts: InstanceReport['facts']
}

/** Reads what is in memory; neither disk nor log is asked. */
export function instanceReport({ source, sampler, isPaused, facts }: ReportParts): InstanceReport {
  const { thread, metrics, failure, nowMs, state, topology, applicationId } = source
  const { recoveries, transactionAborts, fenced, failures, commitFailures } = metrics
  let commits = 0
  for (const { count } of metrics.commits.values()) commits += count
  return {
    v: 1,
    processId: thread?.processId ?? null,
    applicationId,
    topologyHash: topologyHash(topology),
    state,
    isPaused,
    error: failure?.message.slice(0, 1000) ?? null,
    atMs: nowMs,
    generationId: thread?.session.generationId ?? -1,
    members: (thread?.placements ?? []).map(({ processId, endpoint, active, standby }) => {
      return { processId, endpoint, active, standby }
    }),
    widths: widths(source),
    tasks: taskReports(source, sampler),
    nodes: nodeReports(source, sampler),
    stages: sampler.stages,
    load: metrics.ratios,
    history: sampler.history,
    counts: {
      commits,
      commitFailures,
      recoveries: recoveries.transaction + recoveries.membership,
      transactionAborts,
      fenced,
      failures,
    },
    deadLetters: deadLetterCounts(source),
    events: [...metrics.timeline.events],
    facts,
  }
}

function widths({ thread }: MetricsSource): InstanceReport['widths'] {
  if (thread === null) return []
  const { inputTopics, partitionCounts } = thread.facts
  return [...inputTopics].map(([subtopology, topics]) => ({
    subtopology,
    partitions: Math.max(0, ...topics.map((topic) => partitionCounts.get(topic) ?? 0)),
  }))
}

function taskReports(source: MetricsSource, sampler: Sampler): readonly TaskReport[] {
  const running = new Set(source.thread?.manager.running)
  return (source.thread?.manager.all ?? []).map((task) => taskReport(source, sampler, task, running.has(task)))
}

function taskReport(source: MetricsSource, sampler: Sampler, task: StreamTask, isRunning: boolean): TaskReport {
  const thread = source.thread!
  const { manager } = thread
  const rates = sampler.ratesOf(task, source.nowMs)
  const inputs = task.queueList.map((queue, i): InputReport => {
    const { topic, partition, committable: position, head } = queue
    const lag = thread.inputLag(queue)
    const lagMs = head !== null ? Math.max(0, source.nowMs - head.timestampMs) : lag === 0 ? 0 : null
    return { topic, partition, position, lag, lagMs, perSecond: rates.inputs[i] ?? null }
  })
  const catchUp = isRunning ? null : thread.catchUp(task)
  const phase = isRunning ? 'running' : manager.active.has(task.taskId) ? 'restoring' : 'standby'
  return {
    taskId: task.taskId,
    phase,
    lag: isRunning ? sumKnown(inputs.map(({ lag }) => lag)) : thread.lag(task),
    lagMs: isRunning ? oldestMs(inputs) : null,
    processed: task.metrics.recordsProcessed,
    perSecond: isRunning ? rates.perSecond : null,
    streamTimeMs: task.streamTimeMs < 0 ? null : task.streamTimeMs,
    late: task.metrics.late,
    inputs,
    stores: [...task.state.stores].map(([name, { table }]) => {
      return { name, memoryEntries: table.frozenEntries + table.activeEntries.size }
    }),
    restore:
      phase !== 'restoring' || catchUp === null
        ? null
        : {
            done: catchUp.done,
            left: catchUp.left,
            etaMs: catchUp.leftMs,
            changelogs: catchUp.stores.map(({ topic, from, position, stopAt: end }) => ({
              topic,
              from,
              position,
              end,
            })),
          },
  }
}

const sumKnown = (values: readonly (number | null)[]): number | null =>
  values.length === 0 || values.includes(null) ? null : values.reduce<number>((sum, value) => sum + (value ?? 0), 0)

function oldestMs(inputs: readonly InputReport[]): number | null {
  let oldest: number | null = null
  for (const { lagMs } of inputs) if (lagMs !== null) oldest = Math.max(oldest ?? 0, lagMs)
  return oldest
}

function nodeReports({ thread, global, nowMs }: MetricsSource, sampler: Sampler): readonly NodeReport[] {
  const nodes = new Map<string, { taken: number; perSecond: number | null; dropped: Map<string, number> }>()
  const at = (name: string) => {
    let node = nodes.get(name)
    if (node === undefined) nodes.set(name, (node = { taken: 0, perSecond: null, dropped: new Map() }))
    return node
  }
  for (const task of thread?.manager.running ?? []) {
    const rates = sampler.ratesOf(task, nowMs).nodes
    for (const [i, { name, taken }] of task.nodes.entries()) {
      const node = at(name)
      node.taken += taken
      const rate = rates[i] ?? null
      if (rate !== null) node.perSecond = (node.perSecond ?? 0) + rate
    }
  }
  const allMetrics = [...(thread?.manager.all ?? []), ...(global === null ? [] : [global])].map(
    ({ metrics }) => metrics,
  )
  for (const { dropped } of allMetrics) {
    for (const [nodeAndReason, count] of dropped) {
      const [name, reason] = parts(nodeAndReason)
      const node = at(name)
      node.dropped.set(reason, (node.dropped.get(reason) ?? 0) + count)
    }
  }
  return [...nodes].map(([node, { taken, perSecond, dropped }]) => ({
    node,
    taken,
    perSecond,
    dropped: [...dropped].map(([reason, count]) => ({ reason, count })),
  }))
}

function deadLetterCounts({ thread }: MetricsSource): InstanceReport['deadLetters'] {
  const sums = new Map<string, number>()
  for (const { metrics } of thread?.manager.all ?? []) {
    for (const [topicAndClass, count] of metrics.deadLetters) {
      sums.set(topicAndClass, (sums.get(topicAndClass) ?? 0) + count)
    }
  }
  return [...sums].map(([topicAndClass, count]) => {
    const [topic, name] = parts(topicAndClass)
    return { topic, class: name, count }
  })
}
