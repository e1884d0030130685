import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { BallotGate } from '../../apps/ingest/src/ballot-gate.ts'
import { openMetrics } from '../../apps/ingest/src/metrics.ts'
import { composeFolder, readComposeFile } from './compose-file.ts'
import { dashboardJson, streamsDashboard, voteDashboard } from './dashboards.ts'

const root = join(composeFolder, '..')
const prometheus = join(composeFolder, 'prometheus')
const read = (path: string): string => readFileSync(path, 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly action: string }
}

const { groups } = parse(read(join(prometheus, 'alerts.yml'))) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)
const dashboards = [voteDashboard, streamsDashboard]

/** Every metric that something of ours says, by the name it is asked for. */
const known = new Set<string>(['up'])
beforeAll(async () => {
  const add = (name: string, type: string): void => {
    const suffixes = type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']
    for (const suffix of suffixes) known.add(`${name}${suffix}`)
  }
  for (const metric of await openMetrics(new BallotGate({ waitMs: 1000, underWayMax: 1 })).registry.getMetricsAsJSON())
    add(metric.name, String(metric.type))
  // The library's are on the page about operations, which is compared with the library.
  const page = read(join(root, 'docs', 'guide', 'operations.md'))
  for (const [, name, type] of page.matchAll(/^\| `(streams_\w+)` \| (\w+)/gm)) add(name!, type!)
  const viewer = read(join(root, 'apps/viewer/src/service.ts'))
  const histograms = [...viewer.matchAll(/new Histogram\(\{\s*name: '(\w+)'/g)].map((match) => match[1]!)
  for (const [, name] of viewer.matchAll(/'(viewer_\w+)'/g)) {
    add(name!, histograms.includes(name!) ? 'histogram' : 'gauge')
  }
})

/** Names of metrics in an expression: words with an underscore that are no label and no function. */
function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/\{[^}]*\}|"[^"]*"|\b(?:by|on|ignoring|without) \([^)]*\)|\$__\w+/g, ' ')
  return [...bare.matchAll(/\b(?:up|[a-z]+(?:_[a-z0-9]+)+)\b(?!\s*\()/g)].map((match) => match[0])
}

test('every metric that an alert asks for exists, and every alert asks for one', () => {
  expect(known.size).toBeGreaterThan(60)
  for (const { alert, expr } of rules) {
    const names = metricsIn(expr)
    expect(names.length, alert).toBeGreaterThan(0)
    for (const name of names) expect(known, `${alert} asks for ${name}`).toContain(name)
  }
})

test('every alert says how urgent it is, what happens, and what to do', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  for (const { alert, labels, annotations } of rules) {
    expect(['page', 'ticket'], alert).toContain(labels.severity)
    expect(annotations.summary, alert).toMatch(/\S/)
    expect(annotations.action, alert).toMatch(/\.$/)
  }
})

test.each(dashboards)(
  'the dashboard "$title" asks for metrics that exist, and its file is made from its source',
  (dashboard) => {
    for (const { title, targets } of dashboard.rows.flatMap(({ panels }) => panels)) {
      for (const [expression] of targets) {
        const names = metricsIn(expression)
        expect(names.length, title).toBeGreaterThan(0)
        for (const name of names) expect(known, `${title} asks for ${name}`).toContain(name)
      }
    }
    const path = join(composeFolder, 'grafana', 'dashboards', `${dashboard.uid}.json`)
    expect(read(path), 'run: node scripts/compose/dashboards-main.ts').toBe(dashboardJson(dashboard))
  },
)

test('a name that nobody has is noticed', () => {
  expect(metricsIn('sum by (a_label) (rate(streams_records_x_total{job="a_b"}[5m])) / up > 1')).toEqual([
    'streams_records_x_total',
    'up',
  ])
  expect(known).not.toContain('streams_records_x_total')
})

test('Prometheus asks services that there are, and Grafana shows every dashboard that is provisioned', () => {
  const config = parse(read(join(prometheus, 'prometheus.yml'))) as {
    rule_files: string[]
    scrape_configs: {
      job_name: string
      static_configs?: { targets: string[] }[]
      dns_sd_configs?: { names: string[] }[]
    }[]
  }
  expect(config.rule_files).toEqual(['alerts.yml'])
  const { services } = readComposeFile()
  for (const { static_configs: fixed = [], dns_sd_configs: found = [] } of config.scrape_configs) {
    const hosts = [
      ...fixed.flatMap(({ targets }) => targets.map((each) => each.split(':')[0]!)),
      ...found.flatMap(({ names }) => names),
    ]
    for (const host of hosts.filter((name) => name !== '127.0.0.1')) {
      expect(services).toHaveProperty(host)
      expect(services[host]!['networks'] ?? [], host).toContain('front')
    }
  }
  const files = readdirSync(join(composeFolder, 'grafana', 'dashboards')).sort()
  expect(files).toEqual(dashboards.map(({ uid }) => `${uid}.json`).sort())
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

test.skipIf(!hasPromtool)('promtool finds nothing wrong with the alerts, and they fire when they should', () => {
  for (const command of [
    ['check', 'rules', 'alerts.yml'],
    ['check', 'config', '--syntax-only', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', command, { cwd: prometheus, encoding: 'utf8' })
    expect(status, `${command.join(' ')}: ${stdout}${stderr}`).toBe(0)
  }
})
