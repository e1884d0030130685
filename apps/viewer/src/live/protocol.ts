import type { Analytics } from '../analytics.ts'
import type { Accounting } from '@voting/election/events'
import { type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { TrendRow } from '../result-store.ts'
import { isWindowName, type TrendColumns, type WindowName, windowSizes } from '../trend-columns.ts'

/**
 * `tally.v1`, JSON text over WebSocket (reference voting-apps §5.5). Values are absolute, so a frame may be skipped or
 * repeated without harm; `ver` is the version of the result document, `epoch` changes when counting starts anew.
 *
 *   client: sub, unsub, ack      server: hello, snap, d (changes), b (trend only), a (what was found out), st (status),
 *                                        h (heartbeat), bye, err
 *
 * A client applies `d` if the epoch is its own and `from ≤ own version < ver`; else it subscribes again without a token.
 * With a token (`epoch`, `ver`) it gets one `d` that brings it up to date, or nothing where it is; `h` names the newest
 * versions, so that it notices what it has missed. Unknown fields and unknown `t` are to be ignored: that is how this
 * protocol grows.
 *
 * A trend of many windows does not come in one frame: `snap` says where it begins (`t0`) and has empty columns, and `b` frames
 * follow, the newest windows first, windows in which nothing was counted left out.
 */
export const subProtocol = 'tally.v1'
export const inboundBytesMax = 1024

export interface Subscribe {
  readonly op: 'sub'
  readonly poll: string
  readonly epoch?: number
  readonly ver?: number
  readonly trend?: { readonly res: WindowName; readonly since?: number }
  /** Opens results that are shown to those who have voted. */
  readonly receipt?: string
}

export type ClientMessage =
  | Subscribe
  | { readonly op: 'unsub'; readonly poll: string }
  | { readonly op: 'ack' }
  | { readonly op: 'rate' }

/** The message, or what is wrong with it. */
export function parseClientMessage(text: string): ClientMessage | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'not JSON'
  }
  if (typeof value !== 'object' || value === null) return 'not an object'
  const message = value as Record<string, unknown>
  switch (message['op']) {
    case 'ack':
    case 'rate':
      return { op: message['op'] }
    case 'unsub':
      return typeof message['poll'] === 'string' ? { op: 'unsub', poll: message['poll'] } : 'unsub needs a poll'
    case 'sub':
      return parseSubscribe(message)
    default:
      return `unknown op ${JSON.stringify(message['op'])}`
  }
}

function parseSubscribe(message: Record<string, unknown>): Subscribe | string {
  const { poll, epoch, ver, trend, receipt } = message
  if (typeof poll !== 'string') return 'sub needs a poll'
  if (trend !== undefined) {
    const { res, since } = (trend ?? {}) as Record<string, unknown>
    const name = typeof res === 'number' ? `${res}s` : res
    const window = name === '60s' ? '1m' : name
    if (typeof window !== 'string' || !isWindowName(window)) return 'trend.res is one of 1s, 10s, 1m'
    if (since !== undefined && !isTime(since)) return 'trend.since is a time in milliseconds'
    return {
      op: 'sub',
      poll,
      ...token(epoch, ver),
      ...(typeof receipt === 'string' && { receipt }),
      trend: { res: window, ...(typeof since === 'number' ? { since } : {}) },
    }
  }
  return { op: 'sub', poll, ...token(epoch, ver), ...(typeof receipt === 'string' && { receipt }) }
}

/** What `Date` can hold. */
const isTime = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) <= 8.64e15

const token = (epoch: unknown, ver: unknown): { epoch?: number; ver?: number } =>
  typeof epoch === 'number' && typeof ver === 'number' ? { epoch, ver } : {}

const counts = (view: PollView): [string, number][] =>
  view.hiding === null ? view.poll.options.map(({ id }) => [id, view.totals[id] ?? 0]) : []

/** What frames with a result say beside the totals. */
const rest = (view: PollView): object => ({
  ...(view.hiding !== null && { hidden: view.hiding }),
  ...(view.blank !== null && { blank: view.blank }),
  regions: view.regions,
  acc: accountingColumns(view.accounting),
  rej: view.rejections,
})

export function snapFrame(view: PollView, nowMs: number, trend: TrendColumns | null): string {
  const { poll, epoch, version } = view
  return JSON.stringify({
    t: 'snap',
    poll: poll.id,
    slug: poll.slug,
    epoch,
    ver: version,
    asOf: view.asOfMs,
    now: nowMs,
    status: statusOf(view, nowMs),
    def: poll.definitionHash,
    elig: poll.electorate,
    opens: poll.opensAtMs,
    closes: poll.closesAtMs,
    voters: view.voters,
    o: counts(view),
    ...rest(view),
    ...(trend && {
      trend: {
        res: trend.window,
        t0: trend.startMs[0] ?? null,
        step: windowSizes[trend.window],
        cols: poll.options.map(({ id }) => trend.counts[id] ?? []),
      },
    }),
  })
}

/** What a client knows: with the totals it is told what changed since, without them everything. */
export interface Known {
  readonly version: number
  readonly totals?: PollView['totals']
}

/** What changed since `before`; where nothing but the trend did, `b` is sent instead. */
export function deltaFrame(
  view: PollView,
  before: Known,
  nowMs: number,
  window: WindowName | null,
  trends: readonly TrendRow[],
): string {
  const { poll, epoch, version } = view
  const changed = counts(view).filter(([id, count]) => before.totals?.[id] !== count)
  const buckets = window === null ? [] : bucketsOf(view, windowSizes[window], trends)
  return JSON.stringify({
    t: 'd',
    poll: poll.id,
    epoch,
    from: before.version,
    ver: version,
    asOf: view.asOfMs,
    now: nowMs,
    status: statusOf(view, nowMs),
    closes: poll.closesAtMs,
    voters: view.voters,
    o: changed,
    ...rest(view),
    ...(buckets.length > 0 && { res: window, b: buckets }),
  })
}

export function bucketFrame(view: PollView, window: WindowName, trends: readonly TrendRow[]): string | null {
  const buckets = bucketsOf(view, windowSizes[window], trends)
  if (buckets.length === 0) return null
  return JSON.stringify({ t: 'b', poll: view.poll.id, epoch: view.epoch, res: window, b: buckets })
}

const bucketsOf = (view: PollView, windowMs: number, trends: readonly TrendRow[]): [number, number[]][] =>
  trends
    .filter((row) => row.windowMs === windowMs)
    .map((row) => [row.startMs, view.poll.options.map(({ id }) => row.counts[id] ?? 0)])

/** Recorded, accepted, superseded, rejected, duplicates: the first is the sum of the others. */
const accountingColumns = (accounting: Accounting): number[] => [
  accounting.recorded,
  accounting.accepted,
  accounting.superseded,
  accounting.rejected,
  accounting.duplicates,
]

export interface StatusOptions {
  readonly status: PollStatus
  readonly nowMs: number
  /** Newer ballots are recorded than are counted. */
  readonly isLate: boolean
  /** The results can be seen from now on; pages come for them within so many milliseconds, each at a time of its own. */
  readonly revealMs?: number
}

export function statusFrame({ poll, epoch, version }: PollView, options: StatusOptions): string {
  const { status, nowMs, isLate, revealMs } = options
  const { id, closesAtMs: closes } = poll
  const frame = { t: 'st', poll: id, epoch, ver: version, status, closes, now: nowMs, late: isLate }
  return JSON.stringify(revealMs === undefined ? frame : { ...frame, reveal: revealMs })
}

/** Of each kind the newest: a lead may change hands thousands of times, and the API has them all. */
const listedMax = 100

/** What was found out about a poll: lists, which replace those before. */
export const findingsFrame = (
  { poll, epoch }: PollView,
  { leads, flows, bursts }: Omit<Analytics, 'minutes'>,
): string =>
  JSON.stringify({
    t: 'a',
    poll: poll.id,
    epoch,
    leads: leads.slice(-listedMax),
    flows,
    bursts: bursts.slice(-listedMax),
  })

export const helloFrame = (nowMs: number, heartbeatMs: number, tickMs: number, isLate: boolean): string =>
  JSON.stringify({ t: 'hello', now: nowMs, hb: heartbeatMs, tick: tickMs, late: isLate })

/** `versions`: the newest of every poll that the socket follows. */
export const heartbeatFrame = (
  nowMs: number,
  versions: { readonly [pollId: string]: number },
  isLate: boolean,
): string => JSON.stringify({ t: 'h', now: nowMs, v: versions, late: isLate })
export const byeFrame = (retryMs: number): string => JSON.stringify({ t: 'bye', retry: retryMs })
export const errorFrame = (code: string, detail: string): string => JSON.stringify({ t: 'err', code, detail })
