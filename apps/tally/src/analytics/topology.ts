import { type AnalyticsDocument, analyticsMinuteMs, type StandingDocument } from '@voting/election/analytics-events'
import { topics } from '@voting/election/topics'
import { json, type KStream, string, timeWindows } from 'stream-core'
import type { Effect } from '../effects.ts'
import { trendGraceMs } from '../trend.ts'
import { isAnalysed } from './ballot-effect.ts'
import { bursts } from './bursts.ts'
import { oneEpoch } from './epochs.ts'
import { applyToFlows, changesMind, emptyFlows, type FlowsState, publicFlows } from './flows.ts'
import { applyToMinute, emptyMinute, type MinuteState } from './minutes.ts'
import { standings } from './standings.ts'

/**
 * What is found out about a poll beside its result, all of it from the effects:
 *
 *   effects → minutes: what happened in each                    → standings after each ballot → the last of each minute
 *           → flows: who changed from what to what                                            → changes of the lead
 *           → bursts: many more ballots than usual               all → analytics
 */
export function addAnalytics(effects: KStream<string, Effect>): void {
  const minutes = timeWindows({ size: analyticsMinuteMs, grace: trendGraceMs })
  const ofOneEpoch = effects.processValues(oneEpoch, { name: 'one-epoch', value: json<Effect>() })
  const analysed = ofOneEpoch.filter((_poll, effect) => isAnalysed(effect), { name: 'analysed' })

  publish(
    analysed
      .groupByKey()
      .windowedBy(minutes)
      .aggregate<MinuteState>({
        name: 'minutes',
        init: emptyMinute,
        add: applyToMinute,
        store: { name: 'minutes', value: json() },
      })
      .toStream({ name: 'minute-changes' })
      .map(
        ({ key: poll, window: { start } }, minute): [string, AnalyticsDocument] =>
          keyed({ kind: 'minute', poll, start, ...minute }),
        { name: 'public-minutes' },
      ),
    'minutes',
  )

  const followed = ofOneEpoch.processValues(standings, { name: 'standings', value: json() })
  publish(
    followed
      .mapValues(({ document }) => document, { name: 'standing-of', value: json<StandingDocument>() })
      .groupByKey()
      .windowedBy(minutes)
      .reduce((_earlier, later) => later, { name: 'standing-of-minute', store: { name: 'standings', value: json() } })
      .toStream({ name: 'standing-changes' })
      .map(({ window: { start } }, standing): [string, AnalyticsDocument] => keyed({ ...standing, start }), {
        name: 'public-standings',
      }),
    'standings',
  )
  publish(
    followed.flatMap((_poll, { lead }): [string, AnalyticsDocument][] => (lead === null ? [] : [keyed(lead)]), {
      name: 'public-leads',
    }),
    'leads',
  )

  publish(
    analysed
      .filter((_poll, effect) => changesMind(effect), { name: 'changes-of-mind' })
      .groupByKey()
      .aggregate<FlowsState>({
        name: 'flows',
        init: emptyFlows,
        add: applyToFlows,
        store: { name: 'flows', value: json() },
      })
      .toStream({ name: 'flow-changes' })
      .map(
        (poll, state): [string, AnalyticsDocument] => keyed({ kind: 'flows', poll, start: 0, ...publicFlows(state) }),
        {
          name: 'public-flows',
        },
      ),
    'flows',
  )

  publish(
    analysed
      .processValues(bursts, { name: 'bursts', value: json() })
      .map((_poll, burst): [string, AnalyticsDocument] => keyed(burst), { name: 'public-bursts' }),
    'bursts',
  )
}

const keyed = (document: AnalyticsDocument): [string, AnalyticsDocument] => [
  `${document.poll}|${document.kind}|${document.start}`,
  document,
]

const publish = (documents: KStream<string, AnalyticsDocument>, name: string): void =>
  documents.to(topics.analytics, { name: `analytics-${name}`, key: string(), value: json() })
