import { type Duration, toMs } from '../common/duration.ts'
import { TopologyError } from '../common/errors.ts'
import type { WindowShape } from '../operators/window-aggregate.ts'

export interface TimeWindowsOptions {
  readonly size: Duration
  /** Distance between the starts of windows. Default: the size, so that they tumble. */
  readonly advance?: Duration
  /** How long after its end a window still takes records, by stream time. Default 0. */
  readonly grace?: Duration
}

/** Windows of fixed size, aligned to the epoch; the start belongs to a window, the end does not (KafkaStreams TimeWindows). */
export function timeWindows(options: TimeWindowsOptions): WindowShape {
  const sizeMs = toMs(options.size, 'the size of a window')
  const advanceMs = options.advance === undefined ? sizeMs : toMs(options.advance, 'the advance of a window')
  const graceMs = options.grace === undefined ? 0 : toMs(options.grace, 'the grace of a window')
  if (sizeMs === 0) throw new TopologyError('the size of a window must be above 0')
  if (advanceMs === 0 || advanceMs > sizeMs) {
    throw new TopologyError(
      `the advance of a window must be above 0 and at most its size ${sizeMs} ms, got ${advanceMs}`,
    )
  }
  return { sizeMs, advanceMs, graceMs }
}
