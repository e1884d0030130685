import { streamsDashboard, voteDashboard } from './dashboards.ts'
import { ask } from './electorate.ts'
import { until } from './until.ts'

/** Metrics of what need not happen in a run: something is left to be restored, a record is dropped or becomes a dead letter. */
const seldom = /streams_(?:restore_\w+|records_dropped_total|dlq_records_total)/
/** How often each job is there in the whole system. */
const jobs = { ingest: 1, tally: 2, viewer: 2, proxy: 1, load: 1, prometheus: 1 }
/** In place of Grafana's `$__rate_interval`, which is four scrapes or more. */
const rateInterval = '1m'

interface Sample {
  readonly metric: { readonly job?: string }
  readonly value: readonly [atSeconds: number, value: string]
}

/**
 * Prometheus hears every process of the whole system, while votes come in, and has something for every curve of both
 * dashboards. Resolves with a sentence about it; throws when it does not become so.
 */
export async function checkPrometheus(address: string): Promise<string> {
  const query = async (expression: string): Promise<readonly Sample[]> => {
    const asked = encodeURIComponent(expression.replaceAll('$__rate_interval', rateInterval))
    return (await ask<{ data: { result: readonly Sample[] } }>(`${address}/api/v1/query?query=${asked}`)).data.result
  }
  await until('Prometheus hears everybody', async () => {
    const up = await query('up')
    const isThere = ([job, count]: [string, number]): boolean =>
      up.filter(({ metric }) => metric.job === job).length === count
    return Object.entries(jobs).every(isThere) && up.every(({ value }) => value[1] === '1')
  })
  const panels = [voteDashboard, streamsDashboard].flatMap(({ rows }) => rows.flatMap(({ panels: each }) => each))
  const expressions = panels.flatMap(({ targets }) => targets.map(([expression]) => expression))
  let quiet = 0
  for (const expression of expressions) {
    const has = async (): Promise<boolean> => (await query(expression)).length > 0
    if (!seldom.test(expression)) await until(`Prometheus has values for ${expression}`, has)
    else if (!(await has())) quiet++
  }
  return `Prometheus hears everybody; ${expressions.length - quiet} of the ${expressions.length} expressions of the dashboards have values, the others are of what did not happen`
}
