import { GraceBuffer } from '../state/grace-buffer.ts'
import { SuppressBuffer } from '../state/suppress-buffer.ts'
import {
  byBuffer,
  byInput,
  byTask,
  dropped,
  histogram,
  lagOf,
  type MetricsSource,
  type MetricValue,
  one,
  parts,
  restoring,
} from './metric-readers.ts'
import type { StreamsState } from './streams-config.ts'
import { topologyHash } from './topology-hash.ts'

export interface MetricDefinition {
  /** Without the prefix. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** What is not known has no line: never NaN or −1. */
  readonly read: (source: MetricsSource) => readonly MetricValue[]
}

const states: readonly StreamsState[] = ['created', 'starting', 'restoring', 'running', 'closing', 'closed', 'failed']

/** Every metric there is. Where Kafka Streams has one, it means the same; docs/guide/operations.md is the table of them. */
export const metricDefinitions: readonly MetricDefinition[] = [
  {
    name: 'info',
    help: 'Always 1; what runs stands in the labels',
    type: 'gauge',
    read: ({ applicationId, topology }) => [
      { labels: { application_id: applicationId, topology_hash: topologyHash(topology) }, value: 1 },
    ],
  },
  {
    name: 'state',
    help: '1 for the state the instance is in, 0 for the others',
    type: 'gauge',
    read: ({ state }) => states.map((name) => ({ labels: { state: name }, value: name === state ? 1 : 0 })),
  },
  {
    name: 'tasks',
    help: 'Tasks of this instance, by what they are doing',
    type: 'gauge',
    read: ({ thread }) => {
      const [active, running] = [thread?.manager.active.size ?? 0, thread?.manager.running.length ?? 0]
      const counts = { running, restoring: active - running, standby: thread?.manager.standby.size ?? 0 }
      return Object.entries(counts).map(([phase, value]) => ({ labels: { phase }, value }))
    },
  },
  {
    name: 'generation',
    help: 'Generation of the group whose assignment this instance carries out',
    type: 'gauge',
    read: ({ thread }) => {
      const generation = thread?.session.generationId ?? -1
      return generation < 0 ? [] : one(generation)
    },
  },
  {
    name: 'rebalances_total',
    help: 'Assignments that this instance has carried out, by why it had joined',
    type: 'counter',
    read: ({ thread }) =>
      [...(thread?.metrics.rebalances ?? [])].map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'rebalance_duration_seconds',
    help: 'From joining, which waits for the other instances, to when the assignment was carried out; processing goes on meanwhile',
    type: 'histogram',
    read: ({ thread }) => (thread === null ? [] : histogram({}, thread.metrics.rebalanceDurations)),
  },
  {
    name: 'last_rebalance_timestamp_seconds',
    help: 'When the last of them was',
    type: 'gauge',
    read: ({ thread }) => {
      const lastMs = thread?.metrics.lastRebalanceMs ?? -1
      return lastMs < 0 ? [] : one(lastMs / 1000)
    },
  },
  {
    name: 'recoveries_total',
    help: 'Times this instance went back to its last commit, for it had lost a transaction or its membership of the group',
    type: 'counter',
    read: ({ thread }) =>
      Object.entries(thread?.metrics.recoveries ?? {}).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'txn_aborts_total',
    help: 'Transactions that were given up, each with all that was not committed',
    type: 'counter',
    read: ({ thread }) => one(thread?.metrics.transactionAborts),
  },
  {
    name: 'fenced_total',
    help: 'Times somebody else was found to write as this instance: it was taken for dead, or started twice',
    type: 'counter',
    read: ({ thread }) => one(thread?.metrics.fenced),
  },
  {
    name: 'failed_stream_threads_total',
    help: 'Errors that nothing had mended, so that the uncaughtErrorHandler was asked',
    type: 'counter',
    read: ({ thread }) => one(thread?.metrics.failures),
  },
  {
    name: 'records_consumed_total',
    help: 'Records that tasks have taken from an input',
    type: 'counter',
    read: byInput(({ recordsTaken }) => recordsTaken),
  },
  {
    name: 'records_processed_total',
    help: 'Records that went through a task; again, after a recovery',
    type: 'counter',
    read: byTask(({ recordsProcessed }) => recordsProcessed),
  },
  {
    name: 'records_produced_total',
    help: 'Records that the tasks of a sub-topology have written to topics, changelogs not among them',
    type: 'counter',
    read: ({ thread }) =>
      [...(thread?.metrics.produced ?? [])].map(([subtopology, { records }]) => ({
        labels: { subtopology },
        value: records,
      })),
  },
  {
    name: 'records_dropped_total',
    help: 'Records that went no further, by node and reason',
    type: 'counter',
    read: dropped,
  },
  {
    name: 'dlq_records_total',
    help: 'Records that were sent to the dead-letter topic, by the topic they came from and the class of the error',
    type: 'counter',
    read: ({ thread }) =>
      (thread?.manager.all ?? []).flatMap((task) =>
        [...task.metrics.deadLetters].map(([topicAndClass, value]) => {
          const [topic, name] = parts(topicAndClass)
          return { labels: { task: task.taskId, topic, class: name }, value }
        }),
      ),
  },
  {
    name: 'dropped_records_total',
    help: "Of the dropped ones, those that Kafka Streams' dropped-records-total would count",
    type: 'counter',
    read: byTask(({ droppedRecords }) => droppedRecords),
  },
  {
    name: 'records_late_total',
    help: 'Times a record came too late for a window or a version; they are among the dropped ones',
    type: 'counter',
    read: byTask(({ late }) => late),
  },
  {
    name: 'consumer_lag_records',
    help: 'Offsets of an input that are still to be processed',
    type: 'gauge',
    read: byInput((_queue, lag) => lag),
  },
  {
    name: 'consumer_lag_seconds',
    help: 'Age of the next record of an input; 0 where none waits',
    type: 'gauge',
    read: byInput(({ head }, lag, nowMs) => {
      if (head === null) return lag === 0 ? 0 : null
      return Math.max(0, nowMs - head.timestampMs) / 1000
    }),
  },
  {
    name: 'stream_time_seconds',
    help: 'Largest event time a task has seen',
    type: 'gauge',
    read: ({ thread }) =>
      (thread?.manager.running ?? []).flatMap(({ taskId, streamTimeMs }) =>
        streamTimeMs < 0 ? [] : [{ labels: { task: taskId }, value: streamTimeMs / 1000 }],
      ),
  },
  {
    name: 'watermark_gap_seconds',
    help: "How far a task's stream time is behind the clock",
    type: 'gauge',
    read: ({ thread, nowMs }) =>
      (thread?.manager.running ?? []).flatMap(({ taskId, streamTimeMs }) =>
        streamTimeMs < 0 ? [] : [{ labels: { task: taskId }, value: (nowMs - streamTimeMs) / 1000 }],
      ),
  },
  {
    name: 'e2e_latency_seconds',
    help: "From a record's time to when a sub-topology had processed it, of one record in each slice of processing",
    type: 'histogram',
    read: ({ thread }) =>
      [...(thread?.metrics.latency ?? [])].flatMap(([subtopology, counts]) => histogram({ subtopology }, counts)),
  },
  {
    name: 'commit_duration_seconds',
    help: 'Commits that were made, and how long they took',
    type: 'histogram',
    read: ({ thread }) =>
      [...(thread?.metrics.commits ?? [])].flatMap(([group, counts]) => histogram({ group }, counts)),
  },
  {
    name: 'process_duration_seconds',
    help: 'Time a record takes in its task: the mean of each slice of processing, counted once for each slice',
    type: 'histogram',
    read: ({ thread }) => (thread === null ? [] : histogram({}, thread.metrics.processing)),
  },
  {
    name: 'punctuate_duration_seconds',
    help: 'Calls of wall-clock schedules that were due, and how long those of a task took together',
    type: 'histogram',
    read: ({ thread }) => (thread === null ? [] : histogram({}, thread.metrics.punctuations)),
  },
  {
    name: 'poll_interval_seconds',
    help: 'From one poll to the next: how long the loop was kept by processing and commits',
    type: 'histogram',
    read: ({ thread }) => (thread === null ? [] : histogram({}, thread.metrics.pollIntervals)),
  },
  {
    name: 'commit_failures_total',
    help: 'Commits that failed; what they would have committed is done again',
    type: 'counter',
    read: ({ thread }) => one(thread?.metrics.commitFailures),
  },
  {
    name: 'persist_duration_seconds',
    help: 'Writes of committed state to disk, and how long they took',
    type: 'histogram',
    read: ({ thread }) => (thread === null ? [] : histogram({}, thread.metrics.persists)),
  },
  {
    name: 'busy_seconds_total',
    help: "What the instance's loop has spent its time with; poll is mostly waiting",
    type: 'counter',
    read: ({ thread }) =>
      Object.entries(thread?.metrics.busyMs ?? {}).map(([phase, ms]) => ({ labels: { phase }, value: ms / 1000 })),
  },
  {
    name: 'busy_ratio',
    help: 'The same as a share of the last ten seconds',
    type: 'gauge',
    read: ({ thread }) =>
      Object.entries(thread?.metrics.ratios ?? {}).map(([phase, value]) => ({ labels: { phase }, value })),
  },
  {
    name: 'restore_remaining_records',
    help: 'Changelog offsets that a task still has to read before it runs',
    type: 'gauge',
    read: (source) => lagOf(source, restoring(source.thread)),
  },
  {
    name: 'restore_eta_seconds',
    help: 'How long a task has still to be restored, if it goes on as it did until now',
    type: 'gauge',
    read: ({ thread }) =>
      restoring(thread).flatMap((task) => {
        const leftMs = thread!.catchUp(task)?.leftMs ?? null
        return leftMs === null ? [] : [{ labels: { task: task.taskId }, value: leftMs / 1000 }]
      }),
  },
  {
    name: 'restore_records_total',
    help: 'Changelog records that were applied to tasks that are to run here',
    type: 'counter',
    read: ({ thread }) => one(thread?.metrics.restoredRecords),
  },
  {
    name: 'standby_lag_records',
    help: 'Changelog offsets that a standby is behind',
    type: 'gauge',
    read: (source) => lagOf(source, [...(source.thread?.manager.standby.values() ?? [])]),
  },
  {
    name: 'standby_records_total',
    help: 'Changelog records that were applied to standbys',
    type: 'counter',
    read: ({ thread }) => one(thread?.metrics.standbyRecords),
  },
  {
    name: 'suppress_buffer_records',
    help: 'Records that wait in the buffers of suppress, and of joins with a grace',
    type: 'gauge',
    read: byBuffer((buffer) =>
      buffer instanceof SuppressBuffer || buffer instanceof GraceBuffer ? buffer.recordCount : null,
    ),
  },
  {
    name: 'suppress_buffer_bytes',
    help: 'Size of what waits in the buffers of suppress, in the measure of maxBytes',
    type: 'gauge',
    read: byBuffer((buffer) => (buffer instanceof SuppressBuffer ? buffer.sizeBytes : null)),
  },
  {
    name: 'store_memory_entries',
    help: 'Entries of a store in memory: all of a store without a file, and of others what waits for the disk',
    type: 'gauge',
    read: ({ thread }) =>
      (thread?.manager.all ?? []).flatMap((task) =>
        [...task.state.stores].map(([store, { table }]) => ({
          labels: { task: task.taskId, store },
          value: table.frozenEntries + table.activeEntries.size,
        })),
      ),
  },
  {
    name: 'store_op_duration_seconds',
    help: "Calls of a store's methods, of ranges until they are read to their end; with metricsLevel 'debug'",
    type: 'histogram',
    read: ({ thread }) =>
      (thread?.metrics.stores?.operations ?? []).flatMap(({ store, op, durations }) =>
        histogram({ store, op }, durations),
      ),
  },
  {
    name: 'open_iterators',
    help: "Ranges of a store that were begun and not read to their end; with metricsLevel 'debug'",
    type: 'gauge',
    read: ({ thread }) =>
      [...(thread?.metrics.stores?.openIterators ?? [])].map(([store, value]) => ({ labels: { store }, value })),
  },
  {
    name: 'state_bytes',
    help: "Size of a task's files",
    type: 'gauge',
    read: ({ thread }) =>
      (thread?.manager.all ?? []).flatMap((task) => {
        const value = task.state.fileBytes
        return value === 0 ? [] : [{ labels: { task: task.taskId }, value }]
      }),
  },
  {
    name: 'async_calls',
    help: 'Asynchronous calls under way',
    type: 'gauge',
    read: ({ thread }) =>
      (thread?.manager.running ?? []).flatMap((task) =>
        [...task.callsUnderWay].map(([node, value]) => ({ labels: { task: task.taskId, node }, value })),
      ),
  },
]
