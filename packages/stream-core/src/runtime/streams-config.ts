import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker, OffsetSpec } from '../broker/broker.ts'
import { type Clock, systemClock } from '../common/clock.ts'
import { isEndpoint } from '../common/endpoint.ts'
import { ConfigError } from '../common/errors.ts'
import { type Logger, silentLogger } from '../common/logger.ts'
import type { PlacementOptions } from '../assignment/assign-tasks.ts'
import type { Topology } from '../topology/topology.ts'
import type { CommitAction, CommitStep } from './commit-group.ts'
import { type ErrorHandlers, failAlways, keepAlways } from './handlers.ts'
import {
  guarded,
  type Listeners,
  type RebalanceListener,
  type RestoreListener,
  type RestoreProgress,
  type StandbyListener,
} from './listeners.ts'
import type { UncaughtErrorHandler } from './uncaught-error.ts'

export interface StreamsOptions {
  readonly topology: Topology
  /** Names the application in the log: its group, the prefix of its transactional ids and of its internal topics. */
  readonly applicationId: string
  readonly broker: Broker
  /**
   * Folder of the state, one for each instance: who the instance is goes with it. Default: `stream-core` in the system's
   * temporary folder, which a restart of the machine may empty.
   */
  readonly stateDir?: string
  /** Default `exactly-once`: every input counts once in state and output, also across crashes. */
  readonly processingGuarantee?: 'exactly-once' | 'at-least-once'
  /** Least time between two commits. Default 100 ms. */
  readonly commitIntervalMs?: number
  /**
   * Under at-least-once: how long results may wait to be sent; they do not wait for the commit (Kafka's `linger.ms`, and its
   * default). What a record cache holds back does. Default 5 ms.
   */
  readonly lingerMs?: number
  /** Time between two writes of committed state to disk; what lies between is restored after a crash. Default 10 s. */
  readonly persistIntervalMs?: number
  /** Time between two deletions of what was read from repartition topics. Default 30 s. */
  readonly repartitionPurgeIntervalMs?: number
  /**
   * Bytes that record caches hold back between two commits, for all stores of the instance: what decides how often results
   * of one key are forwarded. 0 forwards every update. Default 10 MiB (Kafka Streams' `statestore.cache.max.bytes`).
   */
  readonly cacheMaxBytes?: number
  /**
   * While an instance catches up, how far in event time one partition may be read ahead of the slowest that has more. Kept
   * small, records are not late behind a repartition topic only because their partition was read last. 0: strictly in the
   * order of time; Infinity: no partition waits for another. Default 0.
   */
  readonly maxTimeSkewMs?: number
  /**
   * How long a task that reads several topics waits for one that has no more records, before it takes a record of another
   * (Kafka Streams' `max.task.idle.ms`). One that has more is always waited for; −1: neither. Default 0.
   */
  readonly maxTaskIdleMs?: number
  /** Copies of each task's state on other instances, that take over without a restore. Default 0. */
  readonly standbyReplicas?: number
  /** A copy that is this many changelog records behind is taken for complete when tasks are placed. Default 10,000. */
  readonly acceptableRecoveryLag?: number
  /** How many tasks at a time are copied to where they are to move, before they move. Default 2. */
  readonly maxWarmupReplicas?: number
  /** After so long without a heartbeat the group takes an instance for dead, and others take its tasks. Default 15 s. */
  readonly sessionTimeoutMs?: number
  /** Time between two heartbeats, and so how soon a change of the group is known. Default 3 s. */
  readonly heartbeatIntervalMs?: number
  /** How long the group waits for an instance to join again: it finishes calls and commits first. Default 60 s. */
  readonly rebalanceTimeoutMs?: number
  /** State of tasks that are run elsewhere is deleted from this disk after so long. Default 10 min. */
  readonly stateCleanupDelayMs?: number
  /** Least time between two attempts to emit what has closed: windows, and joins without a match. Default 1 s. */
  readonly emitIntervalMs?: number
  /**
   * Where handlers send records that fail, with `dead-letter`: a topic that exists. Named without handlers, all that fails goes
   * there. Default: none.
   */
  readonly deadLetterTopic?: string
  readonly deserializationHandler?: ErrorHandlers['deserialization']
  readonly processingHandler?: ErrorHandlers['processing']
  /**
   * Asked about records that a sink's serde cannot write, or that the log refuses, for they are too large for the topic for
   * example (Kafka Streams' `production.exception.handler`). Never asked about changelogs: state is not to differ from its log.
   */
  readonly productionHandler?: ErrorHandlers['production']
  /**
   * What to do after an error that nothing else mends: `replace-thread`, `shut-down-client` (default) or `shut-down-application`
   * (Kafka Streams' StreamsUncaughtExceptionHandler). Not asked about what keeps an instance from being made: options, topics that are
   * missing, stored state of another topology; it is about what processors do when they begin.
   */
  readonly uncaughtErrorHandler?: UncaughtErrorHandler
  /**
   * Where other instances reach this one's queries, as `host:port` (Kafka Streams' `application.server`). The library does
   * not listen there; see the guide on queries.
   */
  readonly endpoint?: string
  /**
   * What the instance goes down with: those that name the same host are not given standbys of each other's tasks. Default: each
   * instance by itself.
   */
  readonly host?: string
  /**
   * `debug` times each call of a store too (Kafka Streams' `metrics.recording.level`), which costs two questions to the clock for each.
   * Default `info`.
   */
  readonly metricsLevel?: 'info' | 'debug'
  readonly logger?: Logger
  readonly clock?: Clock
  readonly onStateChange?: (state: StreamsState, previous: StreamsState) => void
  readonly onRestoreProgress?: (progress: RestoreProgress) => void
  /** Told how tasks that are to run here get their state. */
  readonly restoreListener?: RestoreListener
  /** Told of the copies of other instances' state that are kept here. */
  readonly standbyListener?: StandbyListener
  /** Told what the group has decided for this instance. */
  readonly rebalanceListener?: RebalanceListener
  /** For crash tests: called before and after each step of a commit. */
  readonly onCommitStep?: (step: CommitStep, phase: 'before' | 'after') => void
}

/**
 * Places where simulation breaks the engine on purpose, to show that it would be noticed (design §5.3). No program sets them.
 * @internal
 */
export interface Seams {
  readonly arrangeSteps?: (steps: readonly CommitAction[]) => readonly CommitAction[]
  /** Default `latest`: see `StateUpdater`. */
  readonly restoreTarget?: OffsetSpec
  /** Default true: see `StateUpdater`. */
  readonly waitsForStableOffsets?: boolean
  /** Default true: after an abort what was written is dropped. */
  readonly dropsActive?: boolean
  /** Default true: commits say which generation they belong to. */
  readonly namesGeneration?: boolean
  /** Default true: local state is looked at before it is used. */
  readonly mistrustsState?: boolean
  /** Default true: the log is asked whether what state ends with is committed. */
  readonly verifiesState?: boolean
  /** Default true: what is on the disk, or a copy, is brought up to date. */
  readonly completesState?: boolean
  /** Default true: an input that was cut is gone on with where it differs. */
  readonly takesBack?: boolean
  /** Default true: what goes to others is committed before. */
  readonly commitsBeforeHandOver?: boolean
  /** Default true: deletions are in the changelog. */
  readonly logsDeletions?: boolean
  /** What is committed of an input, given how far it was read. */
  readonly committedOffset?: (offset: number) => number
  /** For what state is taken to stand, given where its changelog's last record is. */
  readonly changelogPosition?: (offset: number) => number
  /** Default `read_committed`. */
  readonly inputIsolation?: 'read_committed' | 'read_uncommitted'
  readonly restoreIsolation?: 'read_committed' | 'read_uncommitted'
  /** Default true: state that is older than deletions are kept has to see all that came since. */
  readonly suspectsOldState?: boolean
}

export type StreamsState = 'created' | 'starting' | 'restoring' | 'running' | 'closing' | 'closed' | 'failed'

export interface StreamsConfig {
  readonly topology: Topology
  readonly applicationId: string
  readonly broker: Broker
  readonly stateDir: string
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly commitIntervalMs: number
  readonly lingerMs: number
  readonly persistIntervalMs: number
  readonly repartitionPurgeIntervalMs: number
  readonly cacheMaxBytes: number
  readonly emitIntervalMs: number
  readonly maxTimeSkewMs: number
  readonly maxTaskIdleMs: number
  readonly placement: PlacementOptions
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly stateCleanupDelayMs: number
  readonly handlers: ErrorHandlers
  readonly uncaughtErrorHandler: UncaughtErrorHandler
  readonly deadLetterTopic: string | null
  readonly endpoint: string | null
  readonly host: string | null
  readonly metricsLevel: 'info' | 'debug'
  readonly logger: Logger
  readonly clock: Clock
  readonly onStateChange: (state: StreamsState, previous: StreamsState) => void
  readonly listeners: Listeners
  readonly onRestoreProgress: ((progress: RestoreProgress) => void) | undefined
  readonly onCommitStep: ((step: CommitStep, phase: 'before' | 'after') => void) | undefined
  readonly seams: Seams
}

type NumberOption = {
  readonly [name in keyof StreamsOptions]-?: number extends StreamsOptions[name] ? name : never
}[keyof StreamsOptions]

/** Checks the options and fills in defaults. Throws a ConfigError that names the option. */
export function streamsConfig(options: StreamsOptions, seams: Seams = {}): StreamsConfig {
  if (!/^[a-zA-Z0-9._-]{1,200}$/.test(options.applicationId)) {
    throw new ConfigError(
      'applicationId',
      `applicationId ${JSON.stringify(options.applicationId)} must be 1 to 200 of a-z A-Z 0-9 . _ -: it is part of topic names`,
    )
  }
  checkKinds(options)
  refuseLikeNames(options.topology)
  const { logger = silentLogger } = options
  const whole = (name: NumberOption, fallback: number, least = 0): number => {
    const value = options[name] ?? fallback
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new ConfigError(name, `${name} must be a whole number, ${least} or more; got ${value}`)
  }
  const heartbeatIntervalMs = whole('heartbeatIntervalMs', 3000, 1)
  const sessionTimeoutMs = whole('sessionTimeoutMs', 15_000, 1)
  if (heartbeatIntervalMs * 2 > sessionTimeoutMs) {
    throw new ConfigError(
      'heartbeatIntervalMs',
      `heartbeatIntervalMs (${heartbeatIntervalMs}) must be at most half of sessionTimeoutMs (${sessionTimeoutMs}): ` +
        'one heartbeat may be lost',
    )
  }
  const unasked = options.deadLetterTopic === undefined ? failAlways : keepAlways
  return {
    topology: options.topology,
    applicationId: options.applicationId,
    broker: options.broker,
    stateDir: options.stateDir ?? join(tmpdir(), 'stream-core'),
    guarantee: options.processingGuarantee ?? 'exactly-once',
    commitIntervalMs: whole('commitIntervalMs', 100),
    lingerMs: whole('lingerMs', 5),
    persistIntervalMs: whole('persistIntervalMs', 10_000),
    repartitionPurgeIntervalMs: whole('repartitionPurgeIntervalMs', 30_000),
    cacheMaxBytes: whole('cacheMaxBytes', 10 * 1024 * 1024),
    emitIntervalMs: whole('emitIntervalMs', 1000),
    maxTimeSkewMs: options.maxTimeSkewMs === Infinity ? Infinity : whole('maxTimeSkewMs', 0),
    maxTaskIdleMs: whole('maxTaskIdleMs', 0, -1),
    placement: {
      standbyReplicas: whole('standbyReplicas', 0),
      acceptableLag: whole('acceptableRecoveryLag', 10_000),
      warmupReplicas: whole('maxWarmupReplicas', 2, 1),
    },
    heartbeatIntervalMs,
    sessionTimeoutMs,
    rebalanceTimeoutMs: whole('rebalanceTimeoutMs', 60_000, 1),
    stateCleanupDelayMs: whole('stateCleanupDelayMs', 600_000),
    handlers: {
      deserialization: options.deserializationHandler ?? unasked.deserialization,
      processing: options.processingHandler ?? unasked.processing,
      production: options.productionHandler ?? unasked.production,
    },
    uncaughtErrorHandler: options.uncaughtErrorHandler ?? (() => 'shut-down-client'),
    deadLetterTopic: options.deadLetterTopic ?? null,
    endpoint: options.endpoint ?? null,
    host: options.host ?? null,
    metricsLevel: options.metricsLevel ?? 'info',
    logger,
    clock: options.clock ?? systemClock,
    onStateChange: options.onStateChange ?? (() => undefined),
    onRestoreProgress: options.onRestoreProgress,
    listeners: {
      restore: guarded(options.restoreListener, logger),
      standby: guarded(options.standbyListener, logger),
      rebalance: guarded(options.rebalanceListener, logger),
    },
    onCommitStep: options.onCommitStep,
    seams,
  }
}

/** Both would be one table: SQLite tells names apart by letters, and not by capitals. */
function refuseLikeNames({ subtopologies, stores }: Topology): void {
  const onDisk = new Set(stores.filter(({ inMemory }) => !inMemory).map(({ name }) => name))
  for (const { storeNames } of subtopologies) {
    const seen = new Map<string, string>()
    for (const name of storeNames) {
      const other = seen.get(name.toLowerCase())
      if (onDisk.has(name) && other !== undefined) {
        throw new ConfigError(
          'topology',
          `the stores "${other}" and "${name}" of one sub-topology differ in capitals only: give one of them another name`,
        )
      }
      if (onDisk.has(name)) seen.set(name.toLowerCase(), name)
    }
  }
}

const kinds: {
  readonly [option in keyof Required<StreamsOptions>]: readonly [text: string, check: (value: never) => boolean]
} = {
  topology: ['a topology, as build() returns it', (value: Topology) => Array.isArray(value?.nodes)],
  applicationId: ['a text', isText],
  broker: [
    'a broker: kafkaBroker(…) or await openEmbeddedLog(…)',
    (value: Broker) => typeof value?.openReader === 'function',
  ],
  stateDir: ['a path', isText],
  processingGuarantee: [
    "'exactly-once' or 'at-least-once'",
    (value: string) => value === 'exactly-once' || value === 'at-least-once',
  ],
  commitIntervalMs: ['a number', isNumber],
  lingerMs: ['a number', isNumber],
  persistIntervalMs: ['a number', isNumber],
  repartitionPurgeIntervalMs: ['a number', isNumber],
  cacheMaxBytes: ['a number', isNumber],
  emitIntervalMs: ['a number', isNumber],
  maxTimeSkewMs: ['a number', isNumber],
  maxTaskIdleMs: ['a number', isNumber],
  standbyReplicas: ['a number', isNumber],
  acceptableRecoveryLag: ['a number', isNumber],
  maxWarmupReplicas: ['a number', isNumber],
  sessionTimeoutMs: ['a number', isNumber],
  heartbeatIntervalMs: ['a number', isNumber],
  rebalanceTimeoutMs: ['a number', isNumber],
  stateCleanupDelayMs: ['a number', isNumber],
  deadLetterTopic: ['the name of a topic', isText],
  deserializationHandler: ["a function that returns 'fail', 'continue' or 'dead-letter'", isFunction],
  processingHandler: ["a function that returns 'fail', 'continue' or 'dead-letter'", isFunction],
  productionHandler: ["a function that returns 'fail', 'continue' or 'dead-letter'", isFunction],
  uncaughtErrorHandler: [
    "a function that returns 'replace-thread', 'shut-down-client' or 'shut-down-application'",
    isFunction,
  ],
  endpoint: ['host:port, such as "10.0.0.5:8080"', isEndpoint],
  host: ['a text', isText],
  metricsLevel: ["'info' or 'debug'", (value: string) => value === 'info' || value === 'debug'],
  logger: ['a logger, with debug, info, warn and error', (value: Logger) => typeof value?.warn === 'function'],
  clock: ['a clock, with nowMs and sleep', (value: Clock) => typeof value?.nowMs === 'function'],
  onStateChange: ['a function', isFunction],
  onRestoreProgress: ['a function', isFunction],
  restoreListener: [
    'an object with onStart, onProgress, onEnd and onSuspended, or some of them',
    (value) => listens(value, ['onStart', 'onProgress', 'onEnd', 'onSuspended']),
  ],
  standbyListener: [
    'an object with onStart, onProgress and onSuspended, or some of them',
    (value) => listens(value, ['onStart', 'onProgress', 'onSuspended']),
  ],
  rebalanceListener: [
    'an object with onAssigned and onLost, or one of them',
    (value) => listens(value, ['onAssigned', 'onLost']),
  ],
  onCommitStep: ['a function', isFunction],
}

/** What the compiler checks too, for programs without one, and for values from an environment. */
function checkKinds(options: StreamsOptions): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(kinds, name)) {
      throw new ConfigError(name, `there is no option "${name}"; there are ${Object.keys(kinds).join(', ')}`)
    }
  }
  for (const [name, [text, check]] of Object.entries(kinds) as [keyof StreamsOptions, (typeof kinds)['topology']][]) {
    const value = options[name]
    if (value === undefined && name !== 'topology' && name !== 'broker') continue
    if (!check(value as never)) throw new ConfigError(name, `${name} must be ${text}; got ${shown(value)}`)
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number'
}

/** It has one of the methods at least: otherwise its names are misspelt. */
function listens(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.some((name) => typeof (value as { readonly [name: string]: unknown })[name] === 'function')
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

const shown = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value)
