import { collectDefaultMetrics, Counter, Registry } from 'prom-client'

export interface IngestMetrics {
  readonly registry: Registry
  readonly submissions: Counter<'result'>
}

export function openMetrics(): IngestMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const submissions = new Counter({
    name: 'vote_submissions_total',
    help: 'Ballots that were sent, by what they were answered with',
    labelNames: ['result'],
    registers: [registry],
  })
  return { registry, submissions }
}
