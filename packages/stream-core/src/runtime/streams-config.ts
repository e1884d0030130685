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
