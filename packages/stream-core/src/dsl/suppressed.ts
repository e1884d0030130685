import { knownOptions, oneOf } from '../common/choice.ts'
import type { Duration } from '../common/duration.ts'
import type { Windowed } from '../common/windowed.ts'
import type { Named } from './options.ts'
import { durationMs } from './windows.ts'

export interface SuppressBufferOptions {
  /** Default: no limit. */
  readonly maxRecords?: number
  /** Default: no limit. In Kafka Streams' measure of an entry. */
  readonly maxBytes?: number
  /** What a full buffer does: emit its oldest entries early (default), or stop the application. */
  readonly whenFull?: 'emit-early' | 'shut-down'
  /** false: no changelog. An object: its topic settings. Default true. */
  readonly logging?: boolean | { readonly [config: string]: string }
}

/** How a table's changes are held back. */
export interface Suppressed extends Named {
  /** `window-closes`: one result per window, when it is final. `time-limit`: after `wait`, by the time of later records. */
  readonly until: 'window-closes' | 'time-limit'
  readonly waitMs: number
  readonly buffer: SuppressBufferOptions
}

/** What a table with such keys can be asked for: only windows close. */
export type SuppressedFor<K> = K extends Windowed<unknown> ? Suppressed : Suppressed & { readonly until: 'time-limit' }

/**
 * One result per window, once nothing can change it any more. Only behind a windowed aggregation. A limited buffer stops the
 * application when it is full, for emitting early would not be final.
 */
export const untilWindowCloses = (
  options: Named & { readonly buffer?: Omit<SuppressBufferOptions, 'whenFull'> } = {},
): Suppressed & { readonly until: 'window-closes' } => {
  knownOptions('untilWindowCloses', options, ['name', 'buffer'])
  const { buffer = {} } = options
  knownOptions('the buffer of untilWindowCloses', buffer, ['maxRecords', 'maxBytes', 'logging'])
  return { ...options, until: 'window-closes', waitMs: 0, buffer: { ...buffer, whenFull: 'shut-down' } }
}

/** At most one result per key and `wait`, by the time of the records that arrive. */
export const untilTimeLimit = (
  wait: Duration,
  options: Named & { readonly buffer?: SuppressBufferOptions } = {},
): Suppressed & { readonly until: 'time-limit' } => {
  knownOptions('untilTimeLimit', options, ['name', 'buffer'])
  const { buffer = {} } = options
  knownOptions('the buffer of untilTimeLimit', buffer, ['maxRecords', 'maxBytes', 'whenFull', 'logging'])
  if (buffer.whenFull !== undefined) oneOf('whenFull', buffer.whenFull, ['emit-early', 'shut-down'])
  return { ...options, until: 'time-limit', waitMs: durationMs(wait, 'wait'), buffer }
}
