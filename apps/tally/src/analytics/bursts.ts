import type { BurstDocument } from '@voting/election/analytics-events'
import {
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  json,
  type KeyValueStore,
  stores,
  string,
} from 'stream-core'
import type { Effect } from '../effects.ts'

export const burstsStore = 'bursts'

export const burstWindowMs = 10_000
/** What is usual is seen from so many windows: five minutes. */
const historyLength = 30
/** With fewer windows behind it a poll has no usual yet: its opening is no burst. */
const historyMin = 6
/** So many times as much as usual is a burst, */
const burstFactor = 5
/** unless it is fewer ballots than this: a handful of friends. */
const burstMin = 20

export interface BurstState {
  /** Start of the window that is being filled. */
  readonly start: number
  readonly recorded: number
  readonly rejected: number
  /** Ballots of the windows before it, newest last. */
  readonly history: readonly number[]
  /** Windows so far that had ballots and were no burst, and their ballots. */
  readonly active: { readonly windows: number; readonly recorded: number }
  /** The burst that goes on, with the windows that have ended. */
  readonly burst: BurstDocument | null
  /** The window that is being filled belongs to it. */
  readonly isBurst: boolean
  readonly version: number
}

/**
 * Flags windows with many more ballots than usual, whatever became of them, for people to look at: one document per run of
 * such windows, from the ballot that makes it one. Ballots are counted in the order of arrival, those that are late with
 * the window of now. Nothing is refused or deleted for it.
 */
export function bursts(): FixedKeyProcessor<string, Effect, BurstDocument> {
  let context: FixedKeyProcessorContext<string, BurstDocument>
  let states: KeyValueStore<string, BurstState>
  return {
    init(given) {
      context = given
      states = context.getStateStore(burstsStore)
    },
    process({ key: poll, value: effect, timestampMs, headers }) {
      if (poll === null || effect?.type !== 'ballot') return
      const start = Math.floor(effect.time / burstWindowMs) * burstWindowMs
      const before = states.get(poll) ?? {
        ...nothingIn(start),
        history: [],
        active: { windows: 0, recorded: 0 },
        burst: null,
        version: 0,
      }
      const filled = addBallot(start > before.start ? turnPage(before, start) : before, poll, effect)
      states.put(poll, filled)
      if (filled.burst !== null && filled.version > before.version) {
        context.forward({ key: poll, value: shown(filled, filled.burst), timestampMs, headers })
      }
    },
  }
}

bursts.stores = [stores.keyValue({ name: burstsStore, key: string(), value: json<BurstState>() })]

const nothingIn = (start: number) => ({ start, recorded: 0, rejected: 0, isBurst: false })

/** The window has ended; those without a ballot that lie between are part of what is usual. */
function turnPage(state: BurstState, start: number): BurstState {
  const skipped = Math.min((start - state.start) / burstWindowMs - 1, historyLength)
  const history = [...state.history, state.recorded, ...Array<number>(skipped).fill(0)].slice(-historyLength)
  const { active, recorded, isBurst } = state
  const isActive = recorded > 0 && !isBurst
  const next = {
    ...state,
    ...nothingIn(start),
    history,
    active: isActive ? { windows: active.windows + 1, recorded: active.recorded + recorded } : active,
  }
  if (state.burst === null) return next
  // A burst ends with the first window that is none; one that has just ended in its last window is still told of once.
  if (!state.isBurst) return { ...next, burst: null }
  return { ...next, burst: withWindow(state.burst, state), version: state.version + 1 }
}

function withWindow(burst: BurstDocument, { start, recorded, rejected }: BurstState): BurstDocument {
  return {
    ...burst,
    end: start + burstWindowMs,
    recorded: burst.recorded + recorded,
    rejected: burst.rejected + rejected,
    peak: Math.max(burst.peak, recorded),
  }
}

function addBallot(state: BurstState, poll: string, effect: Extract<Effect, { type: 'ballot' }>): BurstState {
  const recorded = state.recorded + 1
  const rejected = state.rejected + (effect.class === 'rejected' ? 1 : 0)
  const counted = { ...state, recorded, rejected }
  if (state.isBurst || state.history.length < historyMin) return counted
  const usual = usualOf(state)
  if (recorded < Math.max(burstMin, burstFactor * usual)) return counted
  const goesOn = state.burst !== null && state.burst.end === state.start
  const { start } = state
  const fresh = { kind: 'burst', poll, start, epoch: effect.epoch, version: 0, windowMs: burstWindowMs, usual } as const
  const burst = goesOn ? state.burst : { ...fresh, end: start, recorded: 0, rejected: 0, peak: 0 }
  return { ...counted, burst, isBurst: true, version: state.version + 1 }
}

/** With what the window of now has so far. */
const shown = (state: BurstState, burst: BurstDocument): BurstDocument => ({
  ...(state.isBurst ? withWindow(burst, state) : burst),
  version: state.version,
})

/**
 * The median of the windows just before, and at least what a window with ballots has brought so far: the first voters of a
 * morning are no burst because nobody voted at night.
 */
const usualOf = ({ history, active }: BurstState): number =>
  Math.max(median(history), active.windows === 0 ? 0 : active.recorded / active.windows)

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
