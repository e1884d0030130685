import { javaRules } from '../common/java-rules.ts'
import { knownOptions, oneOf } from '../common/choice.ts'
import { ArgumentError } from '../common/errors.ts'
import { type ErrorHandlers, failAlways, keepAlways } from '../runtime/handlers.ts'
import { matchesTopic } from '../topology/topic-pattern.ts'
import type { Topology } from '../topology/topology.ts'
import type { Partitions } from './driver-partitions.ts'

export interface TopologyTestDriverOptions {
  /** Default `app`. */
  readonly applicationId?: string
  /** Where the wall clock stands at the start. Default 0; it moves only by `advanceWallClockTime`. */
  readonly wallClockStartMs?: number
  /** Bytes of the record cache, as in `StreamsOptions`. Default 0: every update is forwarded at once. */
  readonly cacheMaxBytes?: number
  /** Least wall-clock time between two attempts to emit what has closed. Default 0, for tests that do not move the clock. */
  readonly emitIntervalMs?: number
  /**
   * Partitions of the topics that the topology reads: a number for all, or one for each. With it there is a task for each
   * sub-topology and partition, as in production. Without it everything runs in one task over one partition, as in Kafka
   * Streams' test driver.
   */
  readonly partitions?: Partitions
  /** `each-record` (default): as Kafka Streams' test driver. `manual`: when the test calls `commit`. */
  readonly commits?: 'each-record' | 'manual'
  /** With `exactly-once` (default) output becomes visible with the commit, with `at-least-once` at once. */
  readonly processingGuarantee?: 'exactly-once' | 'at-least-once'
  readonly handlers?: Partial<ErrorHandlers>
  /** As in `StreamsOptions`: where records go that fail. */
  readonly deadLetterTopic?: string
}

export interface DriverCommitOptions {
  /**
   * The process dies during this commit, right before the log takes it or right after, and starts again: state comes back
   * from the changelogs, reading goes on from the committed positions.
   */
  readonly crash?: 'before-the-log' | 'after-the-log'
}

export interface DrainOptions {
  /** How long to wait, by the clock of the machine, while no call ends or is tried again. Default 5000. */
  readonly patienceMs?: number
}

const names = [
  'applicationId',
  'wallClockStartMs',
  'cacheMaxBytes',
  'emitIntervalMs',
  'partitions',
  'commits',
  'processingGuarantee',
  'handlers',
  'deadLetterTopic',
]

/** Those that the test gives, and for the others what `Streams` would do. */
export function handlersOf({ handlers, deadLetterTopic }: TopologyTestDriverOptions): ErrorHandlers {
  return { ...(deadLetterTopic === undefined ? failAlways : keepAlways), ...handlers }
}

/** Java's driver, and only the driver, passes over what does not decode for a global store. */
export const globalHandlersOf = (options: TopologyTestDriverOptions, topology: Topology): ErrorHandlers =>
  topology[javaRules] ? { ...handlersOf(options), deserialization: () => 'continue' } : handlersOf(options)

/** A test that says something the driver does not know would test something else. */
export function checkDriverOptions(topology: Topology, options: TopologyTestDriverOptions): void {
  knownOptions('TopologyTestDriver', options, names)
  const { commits = 'manual', processingGuarantee = 'exactly-once', partitions, handlers = {} } = options
  oneOf('commits', commits, ['each-record', 'manual'])
  oneOf('processingGuarantee', processingGuarantee, ['exactly-once', 'at-least-once'])
  knownOptions('handlers', handlers, ['deserialization', 'processing', 'production'])
  for (const name of ['cacheMaxBytes', 'emitIntervalMs'] as const) wholeMs(name, options[name] ?? 0)
  // Java's clock may begin before 1970.
  if (!topology[javaRules]) wholeMs('wallClockStartMs', options.wallClockStartMs ?? 0)
  if (typeof partitions === 'object') for (const topic of Object.keys(partitions)) checkTopic(topology, topic)
}

/** Of a topic that nobody writes a test would read nothing, and be content. */
export function checkOutput(topology: Topology, topic: string, options: TopologyTestDriverOptions): void {
  const { applicationId = 'app', deadLetterTopic } = options
  if (topic === deadLetterTopic || topic.startsWith(`${applicationId}-`)) return
  checkTopic(topology, topic, 'topic')
}

function checkTopic(topology: Topology, topic: string, argument = 'partitions'): void {
  const isUsed = topology.nodes.some(
    (node) =>
      (node.kind === 'source' &&
        (node.topics.includes(topic) || (node.pattern !== null && matchesTopic(node.pattern, topic)))) ||
      (node.kind === 'sink' && (node.topic === topic || typeof node.topic === 'function')),
  )
  if (!isUsed) throw new ArgumentError(argument, `the topology neither reads nor writes the topic "${topic}"`)
}

/** Throws an ArgumentError for what is no length of time. */
export function wholeMs(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ArgumentError(name, `${name} must be a whole number, 0 or more; got ${text(value)}`)
}

export function checkedCrash({ crash, ...others }: DriverCommitOptions): DriverCommitOptions['crash'] {
  knownOptions('commit', others, ['crash'])
  if (crash !== undefined) oneOf('crash', crash, ['before-the-log', 'after-the-log'])
  return crash
}

export function checkedPatience(options: DrainOptions): number {
  knownOptions('drain', options, ['patienceMs'])
  const { patienceMs = 5000 } = options
  if (typeof patienceMs === 'number' && patienceMs > 0) return patienceMs
  throw new ArgumentError('patienceMs', `patienceMs must be a number above 0; got ${text(patienceMs)}`)
}

/** Where a record goes, and when it was: the log would take a part of a number, or none, for another. */
export function checkPlace(topic: string, timestampMs: unknown, partition: unknown, partitions: number): void {
  const of = `of a record for "${topic}" must be a whole number`
  // Beyond 2^53 too: what the engine makes of nanoseconds is worth a test.
  if (!Number.isInteger(timestampMs)) {
    throw new ArgumentError('timestampMs', `timestampMs ${of} of milliseconds; got ${text(timestampMs)}`)
  }
  if (partition === undefined) return
  if (Number.isSafeInteger(partition) && (partition as number) >= 0 && (partition as number) < partitions) return
  throw new ArgumentError('partition', `partition ${of} below ${partitions}; got ${text(partition)}`)
}

export function checkSerdes(
  topic: string,
  serdes: { readonly key?: unknown; readonly value?: unknown } | undefined,
): void {
  const isSerde = (given: unknown): boolean => typeof (given as { write?: unknown } | undefined)?.write === 'function'
  if (isSerde(serdes?.key) && isSerde(serdes?.value)) return
  throw new ArgumentError('serdes', `the topic "${topic}" needs serdes: { key: string(), value: json() }, for example`)
}

/** NaN and Infinity as they are; JSON has no word for them. */
const text = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')
