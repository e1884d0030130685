import {
  byStartAndKey,
  int64Text,
  sessionEnd,
  sessionKeyPart,
  sessionStart,
  windowKeyPart,
  windowStart,
} from './window-key.ts'

/** What a read of a window or session store asks for; `null` leaves an end of the keys open. */
export interface CacheScan {
  readonly keyFrom: string | null
  readonly keyTo: string | null
  /** Of windows: their start. Of sessions: the earliest end and the latest start. */
  readonly fromMs: number
  readonly toMs: number
  readonly reverse: boolean
}

/**
 * Which entries of the record cache a read comes by, and in what order: more than it shows, for Java's caching stores lay
 * bounds on the bytes of their cache keys first (CacheIteratorWrapper) and drop what was not asked for afterwards
 * (FilteredCacheIterator). It matters because whatever a read comes by has been used, and is evicted later.
 */
export interface CacheWalk {
  /** Order of the cache's keys, and of the store's rows. */
  readonly compare: (a: string, b: string) => number
  /** What decides in which slice a key lies. */
  timeOf(key: string): number
  /** Also a read of a single key comes by other keys. */
  readonly leavesKey: boolean
  /** Where a read of a single key that goes back in time ends: at the beginning of its last slice. */
  sliceStart(key: string, scan: CacheScan): string
  isVisited(key: string, scan: CacheScan): boolean
  /** A read of a single key passes over this one of its entries. */
  isPassedOver(key: string, scan: CacheScan): boolean
  isWanted(key: string, scan: CacheScan): boolean
  /** Nothing that follows is wanted, and the walk ends here. */
  isBeyond(key: string, scan: CacheScan): boolean
}

export const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Key-value stores (CachingKeyValueStore): a read comes by what it shows. */
export const plainWalk: CacheWalk = {
  compare: byBytes,
  timeOf: () => 0,
  leavesKey: false,
  sliceStart: (key) => key,
  isVisited: () => true,
  isPassedOver: () => false,
  isWanted: () => true,
  isBeyond: () => false,
}

type SegmentOf = (key: string) => number

/** Slices of time one after the other, within each by key (SegmentedCacheFunction). */
const bySlice =
  (segmentOf: SegmentOf) =>
  (a: string, b: string): number =>
    segmentOf(a) - segmentOf(b) || byBytes(a, b)

const isKeyWanted = (key: string, { keyFrom, keyTo }: CacheScan): boolean =>
  (keyFrom === null || key >= keyFrom) && (keyTo === null || key <= keyTo)

const isWindowWanted = (stored: string, scan: CacheScan): boolean => {
  const startMs = windowStart(stored)
  return startMs >= scan.fromMs && startMs <= scan.toMs && isKeyWanted(windowKeyPart(stored), scan)
}

/** CachingWindowStore: reads of all keys come by the whole cache, reads between two keys by their slices. */
export const windowWalk = (segmentOf: SegmentOf, intervalMs: number): CacheWalk => ({
  compare: bySlice(segmentOf),
  timeOf: windowStart,
  leavesKey: false,
  sliceStart: (key, { fromMs }) => key + int64Text(fromMs - (fromMs % intervalMs)),
  isVisited(stored, { keyFrom, keyTo, fromMs, toMs }) {
    if (keyFrom === null && keyTo === null) return true
    const segment = segmentOf(stored)
    if (segment < Math.trunc(fromMs / intervalMs) || segment > Math.trunc(toMs / intervalMs)) return false
    return (
      (keyFrom === null || stored >= keyFrom + windowZeros) && (keyTo === null || stored <= upperRange(keyTo, toMs))
    )
  },
  isPassedOver: () => false,
  isWanted: isWindowWanted,
  isBeyond: () => false,
})

/**
 * TimeOrderedCachingWindowStore, of results that are emitted when a window closes: within a slice by time, then by key. The
 * slice at which a read ends is walked to its own end, or until the time is past.
 */
export const timeFirstWalk = (intervalMs: number): CacheWalk => ({
  compare: byStartAndKey,
  timeOf: windowStart,
  leavesKey: true,
  sliceStart: (key) => key,
  isVisited(stored, { keyFrom, keyTo, fromMs, toMs, reverse }) {
    const startMs = windowStart(stored)
    const segment = Math.trunc(startMs / intervalMs)
    if (segment < Math.trunc(fromMs / intervalMs) || segment > Math.trunc(toMs / intervalMs)) return false
    const sliceFromMs = segment * intervalMs
    const lowMs = reverse ? sliceFromMs : Math.max(sliceFromMs, fromMs)
    if (startMs < lowMs) return false
    const key = windowKeyPart(stored)
    if (startMs === lowMs && keyFrom !== null && key < keyFrom) return false
    if (keyTo === null) return true
    if (keyFrom !== keyTo) return startMs <= toMs
    const highMs = Math.min(toMs, sliceFromMs + intervalMs - 1)
    return startMs < highMs || (startMs === highMs && key <= keyTo)
  },
  isPassedOver: () => false,
  isWanted: isWindowWanted,
  isBeyond(stored, { fromMs, toMs, reverse }) {
    return reverse ? windowStart(stored) < fromMs : windowStart(stored) > toMs
  },
})

/** CachingSessionStore: reads between keys come by all later slices, whatever the upper key. */
export const sessionWalk = (segmentOf: SegmentOf, intervalMs: number): CacheWalk => ({
  compare: bySlice(segmentOf),
  timeOf: sessionEnd,
  leavesKey: false,
  sliceStart: (key, { fromMs }) => key + int64Text(fromMs - (fromMs % intervalMs)),
  isVisited: (stored, { keyFrom }) => keyFrom === null || segmentOf(stored) > 0 || stored >= keyFrom + sessionZeros,
  // The walk through a slice ends at its last millisecond and the latest start.
  isPassedOver: (stored, { toMs }) =>
    sessionEnd(stored) % intervalMs === intervalMs - 1 && sessionStart(stored) > Math.min(toMs, sessionEnd(stored)),
  isWanted: (stored, scan) =>
    sessionEnd(stored) >= scan.fromMs && sessionStart(stored) <= scan.toMs && isKeyWanted(sessionKeyPart(stored), scan),
  isBeyond: () => false,
})

const windowZeros = '\0'.repeat(12)
const sessionZeros = '\0'.repeat(16)

/** OrderedBytes#upperRange with WindowKeySchema's suffix: above every window of the key, and of many longer ones. */
function upperRange(key: string, toMs: number): string {
  if (toMs < 2 ** 56) return `${key}${int64Text(toMs)}\x7f\xff\xff\xff`
  // An end beyond all times begins with 7f, and takes the place of key bytes below it.
  let length = Math.min(1, key.length)
  while (length < key.length && key.charCodeAt(length) >= 0x7f) length++
  return `${key.slice(0, length)}\x7f\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff`
}
