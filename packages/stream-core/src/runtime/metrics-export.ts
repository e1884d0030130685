import { ArgumentError } from '../common/errors.ts'
import type { MetricLabels } from './metric-readers.ts'
import { type MetricDefinition, metricDefinitions } from './metrics.ts'
import type { Streams } from './streams.ts'

export interface MetricsOptions {
  /** What the names begin with. Default `streams_`. */
  readonly prefix?: string
}

/** What is needed of prom-client's `Registry`. */
export interface MetricsRegistry {
  registerMetric(metric: never): void
}

/**
 * Puts the metrics of an instance into a registry of prom-client. They are read when the registry is, and cost nothing in
 * between. One instance for each registry and prefix.
 */
export function registerMetrics(registry: MetricsRegistry, streams: Streams, options: MetricsOptions = {}): void {
  const prefix = prefixOf(options)
  for (const definition of metricDefinitions)
    registry.registerMetric(new ReadMetric(prefix, definition, streams) as never)
}

/** The metrics of an instance in Prometheus' text format, for a program without prom-client. */
export function metricsText(streams: Streams, options: MetricsOptions = {}): string {
  const prefix = prefixOf(options)
  let text = ''
  for (const { name, help, type, read } of metricDefinitions) {
    text += `# HELP ${prefix}${name} ${help}\n# TYPE ${prefix}${name} ${type}\n`
    for (const { labels, value, suffix = '' } of read(streams.metricsSource)) {
      text += `${prefix}${name}${suffix}${labelText(labels)} ${value}\n`
    }
  }
  return text
}

/** Looks to prom-client like one of its own metrics. */
class ReadMetric {
  name: string
  readonly help: string
  readonly type: MetricDefinition['type']
  readonly #definition: MetricDefinition
  readonly #streams: Streams

  constructor(prefix: string, definition: MetricDefinition, streams: Streams) {
    this.name = `${prefix}${definition.name}`
    this.help = definition.help
    this.type = definition.type
    this.#definition = definition
    this.#streams = streams
  }

  async get(): Promise<object> {
    // The registry shortens the name of a counter where it speaks OpenMetrics.
    const { name, help, type } = this
    const values = this.#definition.read(this.#streams.metricsSource).map(({ labels, value, suffix }) => ({
      labels,
      value,
      ...(suffix !== undefined && { metricName: `${name}${suffix}` }),
    }))
    return { name, help, type, values, aggregator: 'sum' }
  }

  /** They are the library's own counts. */
  reset(): void {}
}

function prefixOf({ prefix = 'streams_' }: MetricsOptions): string {
  if (/^(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?$/.test(prefix)) return prefix
  throw new ArgumentError(
    'prefix',
    `prefix ${JSON.stringify(prefix)} cannot begin a metric's name: a-z A-Z 0-9 _ and :`,
  )
}

function labelText(labels: MetricLabels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
