import {
  type AnalyticsDocument,
  type AnalyticsKind,
  analyticsMinuteMs,
  type BurstDocument,
  type FlowsDocument,
  type LeadDocument,
  type MinuteDocument,
  type StandingDocument,
} from '@voting/election/analytics-events'
import { windowsMax } from './trend-columns.ts'

/** What pages and programs see of a poll beside its result, as times in milliseconds. */
export interface Analytics {
  readonly minutes: MinuteColumns
  readonly leads: readonly Lead[]
  readonly flows: readonly Flow[]
  readonly bursts: readonly Burst[]
}

/** Aligned columns, one row a minute, with no gap: what happened in it, and how the poll stood at its end. */
export interface MinuteColumns {
  readonly startMs: readonly number[]
  /** Ballots that changed the result: first ones and changed ones. */
  readonly votes: readonly number[]
  readonly changed: readonly number[]
  readonly rejected: readonly number[]
  readonly voters: readonly number[]
  /** 0 to 1; null where the electorate is not known. */
  readonly turnout: readonly number[] | null
  readonly leader: readonly (string | null)[]
  readonly margin: readonly number[]
  readonly totals: { readonly [option: string]: readonly number[] }
}

export interface Lead {
  readonly atMs: number
  readonly from: string | null
  readonly to: string
  readonly margin: number
  readonly voters: number
}

export interface Flow {
  readonly from: string
  readonly to: string
  readonly voters: number
}

export interface Burst {
  readonly startMs: number
  readonly endMs: number
  readonly recorded: number
  readonly rejected: number
  readonly peak: number
  readonly usual: number
  readonly windowMs: number
}

/** A list on a page is for people: the newest of these are enough. */
export const listedMax = 50

const only = <K extends AnalyticsKind>(documents: readonly AnalyticsDocument[], kind: K) =>
  documents.filter((document): document is Extract<AnalyticsDocument, { kind: K }> => document.kind === kind)

/** `documents`: those of the epoch that is shown, in the order of their starts. */
export function analyticsOf(documents: readonly AnalyticsDocument[], options: readonly string[]): Analytics {
  return {
    minutes: minuteColumns(only(documents, 'minute'), only(documents, 'standing'), options),
    ...listsOf(documents),
  }
}

/** Without the columns: what a page is told of as it changes. */
export function listsOf(documents: readonly AnalyticsDocument[]): Omit<Analytics, 'minutes'> {
  return {
    leads: leadsOf(only(documents, 'lead')),
    flows: flowsOf(only(documents, 'flows')),
    bursts: burstsOf(only(documents, 'burst')),
  }
}

export const leadsOf = (documents: readonly LeadDocument[]): Lead[] =>
  documents
    .filter(({ from, to }) => from !== to)
    .slice(-listedMax)
    .map(({ at, from, to, margin, voters }) => ({ atMs: at, from, to, margin, voters }))

export const flowsOf = (documents: readonly FlowsDocument[]): Flow[] =>
  documents
    .flatMap(({ flows }) =>
      Object.entries(flows).flatMap(([from, to]) =>
        Object.entries(to).map(([option, voters]) => ({ from, to: option, voters })),
      ),
    )
    .sort((a, b) => b.voters - a.voters)

export const burstsOf = (documents: readonly BurstDocument[]): Burst[] =>
  documents.slice(-listedMax).map(({ start, end, recorded, rejected, peak, usual, windowMs }) => ({
    startMs: start,
    endMs: end,
    recorded,
    rejected,
    peak,
    usual,
    windowMs,
  }))

function minuteColumns(
  minutes: readonly MinuteDocument[],
  standings: readonly StandingDocument[],
  options: readonly string[],
): MinuteColumns {
  const starts = [...minutes, ...standings].map(({ start }) => start)
  const last = Math.max(...starts)
  const first = Math.max(Math.min(...starts), last - (windowsMax - 1) * analyticsMinuteMs)
  const startMs: number[] = []
  for (let start = first; start <= last; start += analyticsMinuteMs) startMs.push(start)
  const byStart = new Map(minutes.map((minute) => [minute.start, minute]))
  const happened = startMs.map((start) => byStart.get(start) ?? null)
  const stood = carriedOn(standings, startMs)
  return {
    startMs,
    votes: happened.map((minute) => (minute === null ? 0 : minute.accepted + minute.changed)),
    changed: happened.map((minute) => minute?.changed ?? 0),
    rejected: happened.map((minute) => sum(Object.values(minute?.rejections ?? {}))),
    voters: stood.map((standing) => standing?.voters ?? 0),
    turnout: standings.some(({ turnout }) => turnout !== null) ? stood.map((standing) => standing?.turnout ?? 0) : null,
    leader: stood.map((standing) => standing?.leader ?? null),
    margin: stood.map((standing) => standing?.margin ?? 0),
    totals: Object.fromEntries(options.map((option) => [option, stood.map((s) => s?.totals[option] ?? 0)])),
  }
}

/** A minute without a ballot ends as the one before it did. */
function carriedOn(standings: readonly StandingDocument[], startMs: readonly number[]): (StandingDocument | null)[] {
  let next = 0
  let current: StandingDocument | null = null
  return startMs.map((start) => {
    while (next < standings.length && standings[next]!.start <= start) current = standings[next++]!
    return current
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)
