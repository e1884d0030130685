/**
 * The dashboards of Grafana as what they say, one line a panel; `dashboard` makes its many lines of JSON of it.
 * `node scripts/compose/dashboards-main.ts` writes the files; a test compares them, and looks whether each metric exists.
 */
interface Panel {
  readonly title: string
  readonly unit: 'short' | 's' | 'percentunit' | 'bytes' | 'reqps' | 'ops' | 'none'
  /** Expressions with their legend. */
  readonly targets: readonly (readonly [expression: string, legend: string])[]
  /** One number instead of a curve. */
  readonly isNumber?: true
  readonly description?: string
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly rows: readonly Row[]
}

const p99 = (metric: string, by = 'instance'): string =>
  `histogram_quantile(0.99, sum by (${by}, le) (rate(${metric}_bucket[$__rate_interval])))`
const p50 = (metric: string, by = 'instance'): string =>
  `histogram_quantile(0.5, sum by (${by}, le) (rate(${metric}_bucket[$__rate_interval])))`
const rate = (metric: string, by = 'instance'): string => `sum by (${by}) (rate(${metric}[$__rate_interval]))`

/** What a process of Node says of itself. */
const processRow = (job: string): Row => ({
  title: 'Processes',
  panels: [
    {
      title: 'Processor time',
      unit: 'percentunit',
      targets: [[`rate(process_cpu_seconds_total{job=~"${job}"}[$__rate_interval])`, '{{job}} {{instance}}']],
    },
    {
      title: 'Memory',
      unit: 'bytes',
      targets: [[`process_resident_memory_bytes{job=~"${job}"}`, '{{job}} {{instance}}']],
    },
    {
      title: 'Event loop late (p99)',
      unit: 's',
      targets: [[`nodejs_eventloop_lag_p99_seconds{job=~"${job}"}`, '{{job}} {{instance}}']],
    },
  ],
})

export const voteDashboard: Dashboard = {
  uid: 'vote',
  title: 'Voting',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Apps that answer',
          unit: 'none',
          isNumber: true,
          targets: [['sum(up{job=~"ingest|tally|viewer"})', '']],
        },
        {
          title: 'Ballots acknowledged',
          unit: 'reqps',
          isNumber: true,
          targets: [['sum(rate(vote_submissions_total{result="recorded"}[1m]))', '']],
        },
        {
          title: 'Ballots wait to be counted',
          unit: 's',
          isNumber: true,
          targets: [['max(streams_consumer_lag_seconds)', '']],
        },
        { title: 'Readers', unit: 'none', isNumber: true, targets: [['sum(viewer_connections)', '']] },
      ],
    },
    {
      title: 'Votes in',
      panels: [
        {
          title: 'Ballots by answer',
          unit: 'reqps',
          targets: [[rate('vote_submissions_total', 'result'), '{{result}}']],
          description:
            'not-recorded, unconfirmed and overloaded: the voter is asked to send the form again; overloaded is said before anything is done',
        },
        {
          title: 'Ballots under way',
          unit: 'none',
          targets: [
            ['vote_ballots_under_way', 'under way {{instance}}'],
            ['vote_ballots_under_way_limit', 'turned away beyond {{instance}}'],
          ],
        },
        {
          title: 'Until the log acknowledges',
          unit: 's',
          targets: [
            [p50('vote_produce_duration_seconds'), 'half {{instance}}'],
            [p99('vote_produce_duration_seconds'), 'p99 {{instance}}'],
          ],
        },
      ],
    },
    {
      title: 'Counting',
      panels: [
        {
          title: 'From a ballot to its count',
          unit: 's',
          targets: [
            [p50('streams_e2e_latency_seconds'), 'half {{instance}}'],
            [p99('streams_e2e_latency_seconds'), 'p99 {{instance}}'],
          ],
        },
        {
          title: 'Behind the log',
          unit: 's',
          targets: [['max by (instance, topic) (streams_consumer_lag_seconds)', '{{topic}} {{instance}}']],
        },
      ],
    },
    {
      title: 'Results out',
      panels: [
        { title: 'Readers', unit: 'none', targets: [['viewer_connections', '{{instance}}']] },
        {
          title: 'Until a page has shown a heartbeat',
          unit: 's',
          targets: [
            [p50('viewer_ack_lag_seconds'), 'half {{instance}}'],
            [p99('viewer_ack_lag_seconds'), 'p99 {{instance}}'],
          ],
        },
        { title: 'Frames sent', unit: 'ops', targets: [[rate('viewer_frames_sent_total'), '{{instance}}']] },
        {
          title: 'Updates skipped, for a reader was behind',
          unit: 'ops',
          targets: [[rate('viewer_skipped_sends_total'), '{{instance}}']],
        },
      ],
    },
    processRow('ingest|tally|viewer'),
  ],
}

export const streamsDashboard: Dashboard = {
  uid: 'streams',
  title: 'Stream application',
  rows: [
    {
      title: 'Health',
      panels: [
        { title: 'State', unit: 'none', targets: [['streams_state == 1', '{{instance}} {{state}}']] },
        {
          title: 'Tasks',
          unit: 'none',
          targets: [['sum by (instance, phase) (streams_tasks)', '{{instance}} {{phase}}']],
        },
        {
          title: 'Failures that nothing mended',
          unit: 'none',
          targets: [['streams_failed_stream_threads_total', '{{instance}}']],
        },
      ],
    },
    {
      title: 'Throughput and lag',
      panels: [
        {
          title: 'Records processed',
          unit: 'ops',
          targets: [[rate('streams_records_processed_total'), '{{instance}}']],
        },
        { title: 'Records written', unit: 'ops', targets: [[rate('streams_records_produced_total'), '{{instance}}']] },
        {
          title: 'Records waiting',
          unit: 'short',
          targets: [['sum by (instance, topic) (streams_consumer_lag_records)', '{{topic}} {{instance}}']],
        },
        {
          title: 'Oldest record waiting',
          unit: 's',
          targets: [['max by (instance, topic) (streams_consumer_lag_seconds)', '{{topic}} {{instance}}']],
        },
      ],
    },
    {
      title: 'Latency',
      panels: [
        {
          title: 'End to end (p99)',
          unit: 's',
          targets: [[p99('streams_e2e_latency_seconds', 'instance, subtopology'), '{{subtopology}} {{instance}}']],
        },
        { title: 'Commit (p99)', unit: 's', targets: [[p99('streams_commit_duration_seconds'), '{{instance}}']] },
        {
          title: 'A record in its task (p99)',
          unit: 's',
          targets: [[p99('streams_process_duration_seconds'), '{{instance}}']],
        },
        {
          title: 'What the loop does',
          unit: 'percentunit',
          targets: [['streams_busy_ratio', '{{phase}} {{instance}}']],
        },
      ],
    },
    {
      title: 'Restore and rebalance',
      panels: [
        {
          title: 'Records left to restore',
          unit: 'short',
          targets: [['sum by (instance) (streams_restore_remaining_records)', '{{instance}}']],
        },
        {
          title: 'Time left',
          unit: 's',
          targets: [['max by (instance) (streams_restore_eta_seconds)', '{{instance}}']],
        },
        {
          title: 'Assignments',
          unit: 'none',
          targets: [
            [
              'sum by (instance, reason) (increase(streams_rebalances_total[$__rate_interval]))',
              '{{reason}} {{instance}}',
            ],
          ],
        },
        {
          title: 'How long they took (p99)',
          unit: 's',
          targets: [[p99('streams_rebalance_duration_seconds'), '{{instance}}']],
        },
      ],
    },
    {
      title: 'State',
      panels: [
        {
          title: 'Size on disk',
          unit: 'bytes',
          targets: [['sum by (instance) (streams_state_bytes)', '{{instance}}']],
        },
        {
          title: 'Entries in memory',
          unit: 'short',
          targets: [['sum by (instance, store) (streams_store_memory_entries)', '{{store}} {{instance}}']],
        },
        {
          title: 'Writes to disk (p99)',
          unit: 's',
          targets: [[p99('streams_persist_duration_seconds'), '{{instance}}']],
        },
      ],
    },
    {
      title: 'Errors',
      panels: [
        {
          title: 'Records dropped',
          unit: 'ops',
          targets: [[rate('streams_records_dropped_total', 'node, reason'), '{{node}} {{reason}}']],
        },
        {
          title: 'Dead letters',
          unit: 'ops',
          targets: [[rate('streams_dlq_records_total', 'topic, class'), '{{topic}} {{class}}']],
        },
        {
          title: 'Back to the last commit',
          unit: 'ops',
          targets: [[rate('streams_recoveries_total', 'instance, reason'), '{{reason}} {{instance}}']],
        },
        { title: 'Transactions given up', unit: 'ops', targets: [[rate('streams_txn_aborts_total'), '{{instance}}']] },
        {
          title: 'Commits that failed',
          unit: 'ops',
          targets: [[rate('streams_commit_failures_total'), '{{instance}}']],
        },
      ],
    },
    processRow('tally'),
  ],
}

const columns = 24
const source = { type: 'prometheus', uid: 'prometheus' }

/** As Grafana keeps it. */
export function dashboardJson({ uid, title, rows }: Dashboard): string {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    })
    y++
    const width = columns / Math.min(row.panels.length, 4)
    const height = row.panels.every(({ isNumber }) => isNumber) ? 4 : 8
    for (const [i, panel] of row.panels.entries()) {
      const gridPos = { x: (i % 4) * width, y: y + Math.floor(i / 4) * height, w: width, h: height }
      panels.push({ id: panels.length + 1, gridPos, ...panelJson(panel) })
    }
    y += Math.ceil(row.panels.length / 4) * height
  }
  const document = {
    uid,
    title,
    tags: ['voting'],
    timezone: 'utc',
    schemaVersion: 39,
    refresh: '5s',
    time: { from: 'now-30m', to: 'now' },
    graphTooltip: 1,
    editable: false,
    panels,
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

function panelJson({ title, unit, targets, isNumber, description }: Panel): object {
  return {
    type: isNumber ? 'stat' : 'timeseries',
    title,
    ...(description && { description }),
    datasource: source,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: isNumber
      ? { reduceOptions: { calcs: ['lastNotNull'] } }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: targets.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: source,
      expr,
      ...(legendFormat && { legendFormat }),
    })),
  }
}
