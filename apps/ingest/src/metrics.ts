import { addGauge } from '@voting/election/gauge'
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import type { BallotGate } from './ballot-gate.ts'

export interface IngestMetrics {
  readonly registry: Registry
  readonly submissions: Counter<'result'>
  /** From the moment a ballot is handed to the log until the log has answered. */
  readonly produceSeconds: Histogram
}

/** `gate` is asked whenever somebody reads. */
export function openMetrics(gate: BallotGate): IngestMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const submissions = new Counter({
    name: 'vote_submissions_total',
    help: 'Ballots that were sent, by what they were answered with',
    labelNames: ['result'],
    registers: [registry],
  })
  const produceSeconds = new Histogram({
    name: 'vote_produce_duration_seconds',
    help: 'How long the log took to answer for a ballot',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  })
  addGauge(registry, 'vote_ballots_under_way', 'Ballots that were taken and have no answer yet', () => gate.underWay)
  addGauge(
    registry,
    'vote_ballots_under_way_limit',
    'How many may be under way before others are turned away',
    () => gate.limit,
  )
  return { registry, submissions, produceSeconds }
}
