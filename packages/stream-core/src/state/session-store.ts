import type { RecordContext } from '../common/record.ts'
import { shown } from '../common/shown.ts'
import type { Windowed } from '../common/windowed.ts'
import { sessionWalk } from './cache-walk.ts'
import type { Entry } from './entry.ts'
import type { InnerStore } from './inner-store.ts'
import { aboveEveryKey, type LayeredTable, type TableRange } from './layered-table.ts'
import { Segments } from './segments.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { StoreMeta } from './store-meta.ts'
import { segmentIntervalMs, type SessionStoreSpec } from './store-spec.ts'
import { StoreCodec } from './value-codec.ts'
import {
  byEndStartAndKey,
  int64Text,
  sessionEnd,
  sessionKey,
  sessionKeyPart,
  sessionStart,
  sessionSuffixLength,
} from './window-key.ts'
import type { WindowReadOptions } from './window-store.ts'

/** Told of the updates that a record cache hands on. */
export type SessionChangeListener<K, V> = (
  key: Windowed<K>,
  newValue: V | null,
  oldValue: V | null,
  context: RecordContext,
) => void

/** For `BaseTable` and the layers: where a stored key belongs. */
export const sessionLayout = (retentionMs: number) => {
  const intervalMs = segmentIntervalMs(retentionMs)
  const segmentOf = (key: string): number => Math.trunc(sessionEnd(key) / intervalMs)
  return { segmentOf, groupOf: sessionKeyPart, timeOf: sessionEnd }
}

/**
 * Values by key and session, both ends of which belong to it. What ended longer than `retentionMs` before the newest end
 * is invisible at once, and deleted a whole slice of time at a time (reference §2.3).
 */
export class SessionStore<K, V> extends StoreBase<SessionStoreSpec> {
  readonly #codec: StoreCodec<K, V>
  readonly #segments: Segments

  /** @internal */
  constructor(spec: SessionStoreSpec, parts: StoreParts) {
    const codec = new StoreCodec<K, V>(spec)
    const layout = sessionLayout(spec.retentionMs)
    super(spec, parts, {
      layout,
      encode: (value) => codec.encodePassing(value as V),
      keyOverhead: 8,
      walk: sessionWalk(layout.segmentOf, segmentIntervalMs(spec.retentionMs)),
    })
    this.#codec = codec
    this.#segments = new Segments(spec.retentionMs, this.meta)
  }

  put(session: Windowed<K>, value: V | null): void {
    const { start, end } = session.window
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end))
      throw this.#wrongSession(start, end)
    this.rows.put(this.#stored(session), this.#codec.entry(session.key, value, this.host.recordContext.timestampMs))
  }

  remove(session: Windowed<K>): void {
    this.put(session, null)
  }

  /** The value of exactly this session. */
  fetchSession(key: K, startMs: number, endMs: number): V | null {
    const entry = this.rows.find(sessionKey(this.#codec.keyString(key), startMs, endMs))
    return entry === undefined ? null : this.#codec.decode(entry)
  }

  /** Sessions of a key that end at `earliestEndMs` or later and begin at `latestStartMs` or earlier, by end and start. */
  *findSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
    { reverse = false }: WindowReadOptions = {},
  ): Generator<[Windowed<K>, V]> {
    const prefix = this.#codec.keyString(key)
    const length = prefix.length + sessionSuffixLength
    const low = prefix + int64Text(Math.max(0, earliestEndMs))
    const scan = { keyFrom: prefix, keyTo: prefix, fromMs: Math.max(0, earliestEndMs), toMs: latestStartMs, reverse }
    for (const [stored, entry] of this.rows.range(low, `${prefix}\xff`, {
      reverse,
      group: prefix,
      earliestMs: earliestEndMs,
      scan,
    })) {
      if (stored.length !== length || sessionKeyPart(stored) !== prefix) continue
      if (sessionEnd(stored) < earliestEndMs || sessionStart(stored) > latestStartMs) continue
      yield [this.#windowed(stored), this.#codec.decode(entry)]
    }
  }

  /** All sessions of a key. */
  fetch(key: K, options: WindowReadOptions = {}): Generator<[Windowed<K>, V]> {
    return this.findSessions(key, 0, Number.POSITIVE_INFINITY, options)
  }

  /** Sessions of the keys between two, both included; `null` leaves an end open. */
  *fetchKeys(from: K | null, to: K | null, { reverse = false }: WindowReadOptions = {}): Generator<[Windowed<K>, V]> {
    const keyFrom = from === null ? null : this.#codec.keyString(from)
    const keyTo = to === null ? null : this.#codec.keyString(to)
    const scan = { keyFrom, keyTo, fromMs: 0, toMs: Number.POSITIVE_INFINITY, reverse }
    for (const [stored, entry] of this.rows.range(keyFrom ?? '', aboveEveryKey, { reverse, scan })) {
      const key = sessionKeyPart(stored)
      if ((keyFrom !== null && key < keyFrom) || (keyTo !== null && key > keyTo)) continue
      yield [this.#windowed(stored), this.#codec.decode(entry)]
    }
  }

  all(options: WindowReadOptions = {}): Generator<[Windowed<K>, V]> {
    return this.fetchKeys(null, null, options)
  }

  /**
   * Sessions that ended between two times, by end, start and key: what emit-on-close reads. It shows all that is not
   * deleted, also what has expired, as Java's does (reference §2.3 b).
   */
  *sessionsEndedBetween(earliestEndMs: number, latestEndMs: number): Generator<[Windowed<K>, V]> {
    const segments = this.#segments.range(earliestEndMs, latestEndMs)
    const rows: [string, Entry][] = []
    for (const row of this.table.range('', aboveEveryKey, { segments })) {
      const end = sessionEnd(row[0])
      if (end >= earliestEndMs && end <= latestEndMs) rows.push(row)
    }
    rows.sort(([a], [b]) => byEndStartAndKey(a, b))
    for (const [stored, entry] of rows) yield [this.#windowed(stored), this.#codec.decode(entry)]
  }

  /** @internal For operators: true if the record cache forwards changes, through the listener. */
  onChange(listener: SessionChangeListener<K, V>, sendsOldValues: boolean): boolean {
    return this.listen((stored, newEntry, oldEntry, context) => {
      listener(
        this.#windowed(stored),
        newEntry && this.#codec.decode(newEntry),
        oldEntry && this.#codec.decode(oldEntry),
        context,
      )
    }, sendsOldValues)
  }

  /** @internal */
  override restore(key: string, bytes: Buffer | null, timestampMs: number, headers: RecordContext['headers']): void {
    const endMs = sessionEnd(key)
    this.meta.observe(endMs)
    this.meta.freeze()
    if (this.#segments.isLive(endMs)) super.restore(key, bytes, timestampMs, headers)
  }

  /** @internal */
  override firstLiveSegment(): number {
    return Math.max(0, this.#segments.firstCommittedLive)
  }

  /** @internal */
  protected inner(): InnerStore {
    return new SessionRows(this.table, this.meta, this.#segments, (key, entry) => this.refuse(key, entry))
  }

  #wrongSession(start: unknown, end: unknown): RangeError {
    return new RangeError(
      `a session in the store "${this.spec.name}" must start and end at whole numbers of milliseconds, 0 or later, and not end before it ` +
        `starts; got ${shown(start)} to ${shown(end)}`,
    )
  }

  #stored({ key, window }: Windowed<K>): string {
    return sessionKey(this.#codec.keyString(key), window.start, window.end)
  }

  #windowed(stored: string): Windowed<K> {
    return {
      key: this.#codec.readKey(sessionKeyPart(stored)),
      window: { start: sessionStart(stored), end: sessionEnd(stored) },
    }
  }
}

/** The rows of a session store, as its retention lets them be seen: slice by slice, within each by key bytes, end, start. */
class SessionRows implements InnerStore {
  readonly #table: LayeredTable
  readonly #meta: StoreMeta
  readonly #segments: Segments
  readonly #refuse: (key: string, entry: Entry) => void

  /** @internal */
  constructor(table: LayeredTable, meta: StoreMeta, segments: Segments, refuse: (key: string, entry: Entry) => void) {
    this.#table = table
    this.#meta = meta
    this.#segments = segments
    this.#refuse = refuse
  }

  find(key: string): Entry | undefined {
    return sessionEnd(key) < this.#segments.oldestVisibleMs ? undefined : this.#table.find(key)
  }

  put(key: string, entry: Entry): void {
    const endMs = sessionEnd(key)
    this.#meta.observe(endMs)
    if (this.#segments.isLive(endMs)) this.#table.set(key, entry)
    else this.#refuse(key, entry)
  }

  *range(from: string, to: string, options: TableRange = {}): Generator<[string, Entry]> {
    const oldest = this.#segments.oldestVisibleMs
    if (options.group !== undefined && options.group !== null) {
      const segments = this.#segments.range(oldest, Number.POSITIVE_INFINITY)
      for (const row of this.#table.range(from, to, { ...options, segments })) {
        if (sessionEnd(row[0]) >= oldest) yield row
      }
      return
    }
    const slices = [...this.#segments.between(oldest, Number.POSITIVE_INFINITY)]
    if (options.reverse === true) slices.reverse()
    for (const segments of slices) {
      for (const row of this.#table.range(from, to, { ...options, segments })) {
        if (sessionEnd(row[0]) >= oldest) yield row
      }
    }
  }
}
