import type { Histogram } from '../common/histogram.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Topology } from '../topology/topology.ts'
import type { GlobalTask } from './global-task.ts'
import type { RecordQueue } from './record-queue.ts'
import type { StreamTask } from './stream-task.ts'
import type { StreamThread } from './stream-thread.ts'
import type { StreamsConfig, StreamsState } from './streams-config.ts'
import type { TaskMetrics } from './task-metrics.ts'
import type { ThreadMetrics } from './thread-metrics.ts'

export interface MetricLabels {
  readonly [name: string]: string | number
}

/** One line of a metric. */
export interface MetricValue {
  readonly labels: MetricLabels
  readonly value: number
  /** What comes behind the metric's name: `_bucket`, `_sum` or `_count` of a histogram. */
  readonly suffix?: string
}

/** What is read of an instance when somebody asks for a metric. */
export interface MetricsSource {
  readonly applicationId: string
  readonly topology: Topology
  readonly state: StreamsState
  readonly nowMs: number
  /** null before the start. */
  readonly thread: StreamThread | null
  /** null: none, or not open. */
  readonly global: GlobalTask | null
  readonly config: StreamsConfig
  /** Those of the thread, which outlive it. */
  readonly metrics: ThreadMetrics
  /** What has ended the instance. */
  readonly failure: Error | null
}

export const one = (value: number | undefined): MetricValue[] => (value === undefined ? [] : [{ labels: {}, value }])

/** The task that fills the global stores is among them, where there is one. */
export const byTask =
  (read: (metrics: TaskMetrics) => number) =>
  ({ thread, global }: MetricsSource): MetricValue[] => [
    ...(thread?.manager.all ?? []).map(({ taskId, metrics }) => ({ labels: { task: taskId }, value: read(metrics) })),
    ...(global === null ? [] : [{ labels: { task: 'global' }, value: read(global.metrics) }]),
  ]

/** Of tasks that are brought up to date, and whose lag is known. */
export const lagOf = ({ thread }: MetricsSource, tasks: readonly StreamTask[]): MetricValue[] =>
  tasks.flatMap((task) => {
    const value = thread!.lag(task)
    return value === null ? [] : [{ labels: { task: task.taskId }, value }]
  })

export const restoring = (thread: StreamThread | null): readonly StreamTask[] => {
  const running = new Set(thread?.manager.running)
  return [...(thread?.manager.active.values() ?? [])].filter((task) => !running.has(task))
}

export const byInput =
  (read: (queue: RecordQueue, lag: number, nowMs: number) => number | null) =>
  ({ thread, nowMs }: MetricsSource): MetricValue[] =>
    (thread?.manager.running ?? []).flatMap((task) =>
      [...task.queues].flatMap((queue) => {
        const lag = thread!.inputLag(queue)
        const value = lag === null ? null : read(queue, lag, nowMs)
        return value === null ? [] : [{ labels: { topic: queue.topic, partition: queue.partition }, value }]
      }),
    )

export const dropped = ({ thread, global }: MetricsSource): MetricValue[] =>
  [
    ...(thread?.manager.all ?? []).map(({ taskId, metrics }) => ({ task: taskId, metrics })),
    ...(global === null ? [] : [{ task: 'global', metrics: global.metrics }]),
  ].flatMap(({ task, metrics }) =>
    [...metrics.dropped].map(([nodeAndReason, value]) => {
      const [node, reason] = parts(nodeAndReason)
      return { labels: { task, node, reason }, value }
    }),
  )

/** `node/reason` and the like: the last slash is between them. */
export const parts = (both: string): [string, string] => {
  const at = both.lastIndexOf('/')
  return [both.slice(0, at), both.slice(at + 1)]
}

/** Of the buffers of running tasks: of others they may not be complete. */
export const byBuffer =
  (read: (buffer: StateStore) => number | null) =>
  ({ thread }: MetricsSource): MetricValue[] =>
    (thread?.manager.running ?? []).flatMap((task) =>
      [...task.state.stores].flatMap(([store, buffer]) => {
        const value = read(buffer)
        return value === null ? [] : [{ labels: { task: task.taskId, store }, value }]
      }),
    )

export function histogram(labels: MetricLabels, { bounds, counts, sum, count }: Histogram): MetricValue[] {
  let below = 0
  const buckets = bounds.map((bound, i) => {
    below += counts[i]!
    return { labels: { ...labels, le: bound }, value: below, suffix: '_bucket' }
  })
  return [
    ...buckets,
    { labels: { ...labels, le: '+Inf' }, value: count, suffix: '_bucket' },
    { labels, value: sum, suffix: '_sum' },
    { labels, value: count, suffix: '_count' },
  ]
}
