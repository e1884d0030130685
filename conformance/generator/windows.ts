import type { Raw } from '../runner/format.ts'
import { type Draft, present } from './draft.ts'
import type { Plain, WindowedKey } from './types.ts'

export interface Windows {
  readonly kind: 'time' | 'sliding' | 'session' | 'unlimited'
  readonly spec: Raw
  /** What the store keeps by default; an explicit retention may not be smaller. */
  readonly retentionMs: number
  readonly mustNotCache: boolean
  readonly keyOf: (inner: Plain) => WindowedKey
}

const longMax = '9223372036854775807'
/** J9: above this, a cached session store fails on early timestamps. */
const cachedGapMaxMs = 59_000

export function windows(draft: Draft): Windows {
  const { random } = draft
  const graceMs = random.maybe(0.6, () => draft.span(0, 12))
  const grace = graceMs ?? 0
  const time =
    (sizeMs: number | string) =>
    (inner: Plain): WindowedKey => ({ window: 'time', inner, sizeMs })
  switch (
    random.weighted([
      [4, 'time'],
      [3, 'sliding'],
      [4, 'session'],
      [0.4, 'unlimited'],
    ] as const)
  ) {
    case 'time': {
      const sizeMs = draft.span(1, 20)
      // At most eight windows for each record.
      const advanceMs = random.maybe(0.45, () => random.whole(Math.ceil(sizeMs / 8), sizeMs))
      return {
        kind: 'time',
        spec: present({ type: 'time', sizeMs, advanceMs, graceMs }),
        retentionMs: sizeMs + grace,
        mustNotCache: false,
        keyOf: time(sizeMs),
      }
    }
    case 'sliding': {
      // J1: with a difference of 0 every record fails.
      const differenceMs = draft.isCareless && random.chance(0.2) ? 0 : draft.span(1, 20)
      return {
        kind: 'sliding',
        spec: present({ type: 'sliding', differenceMs, graceMs }),
        retentionMs: 2 * differenceMs + grace,
        mustNotCache: false,
        keyOf: time(differenceMs),
      }
    }
    case 'session': {
      const gapMs = draft.span(1, 20)
      return {
        kind: 'session',
        spec: present({ type: 'session', gapMs, graceMs }),
        retentionMs: gapMs + grace,
        mustNotCache: gapMs > cachedGapMaxMs && !draft.isCareless,
        keyOf: (inner) => ({ window: 'session', inner }),
      }
    }
    case 'unlimited':
      return {
        kind: 'unlimited',
        spec: present({ type: 'unlimited', startMs: random.maybe(0.5, () => draft.span(0, 10)) }),
        retentionMs: 0,
        mustNotCache: false,
        keyOf: time(longMax),
      }
  }
}
