import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Broker } from '../broker/broker.ts'
import { type Clock, systemClock } from '../common/clock.ts'
import { ConfigError } from '../common/errors.ts'
import { type Logger, silentLogger } from '../common/logger.ts'
import type { Topology } from '../topology/topology.ts'
import type { CommitStep } from './commit-group.ts'
import { type ErrorHandlers, failAlways } from './handlers.ts'
import type { RestoreProgress } from './restorer.ts'

export interface StreamsOptions {
  readonly topology: Topology
  /** Names the application in the log: its group, its transactional id, the prefix of its internal topics. */
  readonly applicationId: string
  readonly broker: Broker
  /** Folder of the state. Default: `stream-core` in the system's temporary folder, which a restart of the machine may empty. */
  readonly stateDir?: string
  /** Default `exactly-once`: every input counts once in state and output, also across crashes. */
  readonly processingGuarantee?: 'exactly-once' | 'at-least-once'
  /** Least time between two commits. Default 100 ms. */
  readonly commitIntervalMs?: number
  /** Time between two writes of committed state to disk; what lies between is restored after a crash. Default 10 s. */
  readonly persistIntervalMs?: number
  /** Time between two deletions of what was read from repartition topics. Default 30 s. */
  readonly repartitionPurgeIntervalMs?: number
  /**
   * Bytes that record caches hold back between two commits, for all stores of the instance: what decides how often results
   * of one key are forwarded. 0 forwards every update. Default 10 MiB (Kafka Streams' `statestore.cache.max.bytes`).
   */
  readonly cacheMaxBytes?: number
  /** Least time between two attempts to emit what has closed: windows, and joins without a match. Default 1 s. */
  readonly emitIntervalMs?: number
  readonly deserializationHandler?: ErrorHandlers['deserialization']
  readonly processingHandler?: ErrorHandlers['processing']
  readonly logger?: Logger
  readonly clock?: Clock
  readonly onStateChange?: (state: StreamsState, previous: StreamsState) => void
  readonly onRestoreProgress?: (progress: RestoreProgress) => void
  /** For crash tests: called before and after each step of a commit. */
  readonly onCommitStep?: (step: CommitStep, phase: 'before' | 'after') => void
}

export type StreamsState = 'created' | 'starting' | 'restoring' | 'running' | 'closing' | 'closed' | 'failed'

export interface StreamsConfig {
  readonly topology: Topology
  readonly applicationId: string
  readonly broker: Broker
  readonly stateDir: string
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly commitIntervalMs: number
  readonly persistIntervalMs: number
  readonly repartitionPurgeIntervalMs: number
  readonly cacheMaxBytes: number
  readonly emitIntervalMs: number
  readonly handlers: ErrorHandlers
  readonly logger: Logger
  readonly clock: Clock
  readonly onStateChange: (state: StreamsState, previous: StreamsState) => void
  readonly onRestoreProgress: ((progress: RestoreProgress) => void) | undefined
  readonly onCommitStep: ((step: CommitStep, phase: 'before' | 'after') => void) | undefined
}

/** Checks the options and fills in defaults. Throws a ConfigError that names the option. */
export function streamsConfig(options: StreamsOptions): StreamsConfig {
  if (!/^[a-zA-Z0-9._-]{1,200}$/.test(options.applicationId)) {
    throw new ConfigError(
      'applicationId',
      `applicationId ${JSON.stringify(options.applicationId)} must be 1 to 200 of a-z A-Z 0-9 . _ -: it is part of topic names`,
    )
  }
  checkKinds(options)
  const whole = (
    name: 'commitIntervalMs' | 'persistIntervalMs' | 'repartitionPurgeIntervalMs' | 'emitIntervalMs' | 'cacheMaxBytes',
    fallback: number,
  ): number => {
    const value = options[name] ?? fallback
    if (Number.isSafeInteger(value) && value >= 0) return value
    throw new ConfigError(name, `${name} must be a whole number, 0 or more; got ${value}`)
  }
  return {
    topology: options.topology,
    applicationId: options.applicationId,
    broker: options.broker,
    stateDir: options.stateDir ?? join(tmpdir(), 'stream-core'),
    guarantee: options.processingGuarantee ?? 'exactly-once',
    commitIntervalMs: whole('commitIntervalMs', 100),
    persistIntervalMs: whole('persistIntervalMs', 10_000),
    repartitionPurgeIntervalMs: whole('repartitionPurgeIntervalMs', 30_000),
    cacheMaxBytes: whole('cacheMaxBytes', 10 * 1024 * 1024),
    emitIntervalMs: whole('emitIntervalMs', 1000),
    handlers: {
      deserialization: options.deserializationHandler ?? failAlways.deserialization,
      processing: options.processingHandler ?? failAlways.processing,
    },
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    onStateChange: options.onStateChange ?? (() => undefined),
    onRestoreProgress: options.onRestoreProgress,
    onCommitStep: options.onCommitStep,
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
  persistIntervalMs: ['a number', isNumber],
  repartitionPurgeIntervalMs: ['a number', isNumber],
  cacheMaxBytes: ['a number', isNumber],
  emitIntervalMs: ['a number', isNumber],
  deserializationHandler: ["a function that returns 'fail' or 'continue'", isFunction],
  processingHandler: ["a function that returns 'fail' or 'continue'", isFunction],
  logger: ['a logger, with debug, info, warn and error', (value: Logger) => typeof value?.warn === 'function'],
  clock: ['a clock, with nowMs and sleep', (value: Clock) => typeof value?.nowMs === 'function'],
  onStateChange: ['a function', isFunction],
  onRestoreProgress: ['a function', isFunction],
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

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

const shown = (value: unknown): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value)
