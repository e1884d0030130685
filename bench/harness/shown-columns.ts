import type { FailoverRow } from './failover.ts'
import type { LatencyRow } from './latency.ts'
import type { Row } from './row.ts'
import type { LargeRow } from './stateful-large.ts'

interface Columns<R> {
  readonly case: readonly (keyof R & string)[]
  readonly measured: readonly (keyof R & string)[]
}

/** What the tables show; the lines of JSON have everything. */
export const throughputColumns: Columns<Row> = {
  case: ['guarantee', 'settings', 'records'],
  measured: [
    'records_per_s',
    'steady_records_per_s',
    'records_per_cpu_s',
    'steady_records_per_cpu_s',
    'startup_s',
    'peak_rss_mb',
  ],
}
export const latencyColumns: Columns<LatencyRow> = {
  case: ['guarantee', 'settings', 'share', 'votes_per_s'],
  measured: ['p50_ms', 'p99_ms', 'max_ms'],
}
export const failoverColumns: Columns<FailoverRow> = {
  case: ['guarantee', 'settings', 'standbys', 'voters'],
  measured: ['without_output_s', 'partitions_hit'],
}
export const largeColumns: Columns<LargeRow> = {
  case: ['guarantee', 'settings', 'keys'],
  measured: [
    'records_per_s',
    'records_per_cpu_s',
    'steady_records_per_cpu_s',
    'disk_mb',
    'peak_rss_mb',
    'restart_s',
    'restart_rss_mb',
  ],
}
