import type { ReceiptDocument, RejectionEvent, TrendDocument } from '@voting/election/events'
import { topics } from '@voting/election/topics'
import { boolean, json, stores, StreamsBuilder, string, timeWindows, type Topology } from 'stream-core'
import { addAnalytics } from './analytics/topology.ts'
import {
  classify,
  classifyStores,
  pollsStore,
  type PollState,
  seenStore,
  votersStore,
  type VoterState,
} from './classify.ts'
import type { Effect } from './effects.ts'
import { logEventSerde } from './log-event-serde.ts'
import { receiptsOf } from './receipts.ts'
import { applyEffect, emptyResult, publicResult, type ResultState } from './result.ts'
import { applyToTrend, changesCounts, emptyTrend, trendGraceMs, type TrendState, trendWindowsMs } from './trend.ts'

export const resultsStore = 'results'

export interface TallyTopologyOptions {
  /** Writes results to this topic, and nothing else anywhere: for a recount, which must not touch what is published. */
  readonly recountTo?: string
  /** Counts no effect from here on, and those before as ever. Default: counts all. */
  readonly isBeyond?: (effect: Effect) => boolean
}

/**
 * How ballots become results, as a pure function (design §6):
 *
 *   ballots → classify (per voter) → effects, one per ballot → repartition by poll
 *     → the result document → results        → windows of 1 s, 10 s, 1 min → trends
 *     → receipts                             → rejections                      → analytics
 *
 * `ballotPartitions` is the width of `ballots`: a poll is final when each of them has passed its close.
 */
export function buildTallyTopology(ballotPartitions: number, options: TallyTopologyOptions = {}): Topology {
  const builder = new StreamsBuilder()
  builder.addStateStore(stores.keyValue({ name: pollsStore, key: string(), value: json<PollState>() }))
  builder.addStateStore(stores.keyValue({ name: votersStore, key: string(), value: json<VoterState>() }))
  builder.addStateStore(stores.keyValue({ name: seenStore, key: string(), value: boolean() }))

  const { isBeyond } = options
  const classified = builder
    .stream(topics.ballots, { key: string(), value: logEventSerde, name: 'ballots' })
    .process(classify, { name: 'classify', stores: classifyStores })
  // What becomes of a ballot depends on those before it only: leaving effects out is as if the log ended there.
  const wanted = isBeyond ? classified.filter((_poll, effect) => !isBeyond(effect), { name: 'wanted' }) : classified
  const effects = wanted.repartition({ name: 'effects', key: string(), value: json<Effect>() })

  effects
    .groupByKey()
    .aggregate<ResultState>({
      name: 'count',
      init: emptyResult,
      add: (result, effect) => applyEffect(result, effect, ballotPartitions),
      store: { name: resultsStore, value: json() },
    })
    .toStream({ name: 'result-changes' })
    .mapValues((result) => publicResult(result), { name: 'public-result' })
    .to(options.recountTo ?? topics.results, { name: 'results', value: json() })
  if (options.recountTo !== undefined) return builder.build()

  for (const windowMs of trendWindowsMs) {
    const seconds = `${windowMs / 1000}s`
    effects
      .filter((_poll, effect) => changesCounts(effect), { name: `counting-${seconds}` })
      .groupByKey()
      .windowedBy(timeWindows({ size: windowMs, grace: trendGraceMs }))
      .aggregate<TrendState>({
        name: `trend-${seconds}`,
        init: emptyTrend,
        add: applyToTrend,
        store: { name: `trends-${seconds}`, value: json() },
      })
      .toStream({ name: `trend-changes-${seconds}` })
      .map(
        ({ key: poll, window: { start } }, trend): [string, TrendDocument] => [
          `${poll}|${windowMs}|${start}`,
          { poll, windowMs, start, ...trend },
        ],
        { name: `public-trend-${seconds}`, key: string(), value: json<TrendDocument>() },
      )
      .to(topics.trends, { name: `trends-${seconds}` })
  }

  effects
    .flatMap((_poll, effect) => receiptsOf(effect), {
      name: 'receipts-of-effects',
      key: string(),
      value: json<ReceiptDocument>(),
    })
    .to(topics.receipts, { name: 'receipts' })

  effects
    .flatMapValues(
      (effect): RejectionEvent[] =>
        effect.type === 'ballot' && effect.class === 'rejected'
          ? [{ poll: effect.poll, ballotId: effect.ballotId, reason: effect.reason, at: effect.time }]
          : [],
      { name: 'rejections-of-effects', value: json<RejectionEvent>() },
    )
    .to(topics.rejections, { name: 'rejections' })

  addAnalytics(effects)

  return builder.build()
}
