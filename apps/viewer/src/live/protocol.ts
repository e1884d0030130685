import type { Accounting } from '@voting/election/events'
import { type PollStatus, type PollView, statusOf } from '../poll-view.ts'
import type { TrendRow } from '../result-store.ts'
import { isWindowName, type TrendColumns, type WindowName, windowSizes } from '../trend-columns.ts'

/**
 * `tally.v1`, JSON text over WebSocket (reference voting-apps §5.5). Values are absolute, so a frame may be skipped or
 * repeated without harm; `ver` is the version of the result document, `epoch` changes when counting starts anew.
 *
 *   client: sub, unsub, ack                server: hello, snap, d (changes), b (trend only), h (heartbeat), bye, err
 *
 * A client applies `d` if the epoch is its own and `from ≤ own version < ver`; else it subscribes again without a token.
 * Unknown fields and unknown `t` are to be ignored: that is how this protocol grows.
 */
export const subProtocol = 'tally.v1'
export const inboundBytesMax = 1024

export interface Subscribe {
  readonly op: 'sub'
  readonly poll: string
  readonly epoch?: number
  readonly ver?: number
  readonly trend?: { readonly res: WindowName; readonly since?: number }
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
  const { poll, epoch, ver, trend } = message
  if (typeof poll !== 'string') return 'sub needs a poll'
  if (trend !== undefined) {
    const { res, since } = (trend ?? {}) as Record<string, unknown>
    const name = typeof res === 'number' ? `${res}s` : res
    const window = name === '60s' ? '1m' : name
    if (typeof window !== 'string' || !isWindowName(window)) return 'trend.res is one of 1s, 10s, 1m'
    return {
      op: 'sub',
      poll,
      ...token(epoch, ver),
      trend: { res: window, ...(typeof since === 'number' ? { since } : {}) },
    }
  }
  return { op: 'sub', poll, ...token(epoch, ver) }
}

const token = (epoch: unknown, ver: unknown): { epoch?: number; ver?: number } =>
  typeof epoch === 'number' && typeof ver === 'number' ? { epoch, ver } : {}

const counts = (view: PollView): [string, number][] => view.poll.options.map(({ id }) => [id, view.totals[id] ?? 0])

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
    regions: view.regions,
    acc: accountingColumns(view.accounting),
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

/** What changed since `from`; also sent when nothing but the trend did, as `b`. */
export function deltaFrame(
  view: PollView,
  before: PollView,
  nowMs: number,
  window: WindowName | null,
  trends: readonly TrendRow[],
): string {
  const { poll, epoch, version } = view
  const changed = counts(view).filter(([id, count]) => before.totals[id] !== count)
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
    voters: view.voters,
    o: changed,
    regions: view.regions,
    acc: accountingColumns(view.accounting),
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

export const statusFrame = (view: PollView, status: PollStatus, nowMs: number): string =>
  JSON.stringify({ t: 'st', poll: view.poll.id, epoch: view.epoch, ver: view.version, status, now: nowMs })

export const helloFrame = (nowMs: number, heartbeatMs: number, tickMs: number): string =>
  JSON.stringify({ t: 'hello', now: nowMs, hb: heartbeatMs, tick: tickMs })

export const heartbeatFrame = (nowMs: number): string => JSON.stringify({ t: 'h', now: nowMs })
export const byeFrame = (retryMs: number): string => JSON.stringify({ t: 'bye', retry: retryMs })
export const errorFrame = (code: string, detail: string): string => JSON.stringify({ t: 'err', code, detail })
