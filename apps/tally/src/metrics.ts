import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Streams } from 'stream-core'
import { registerMetrics } from 'stream-core/metrics'

/** Metrics of the tally: the process's, and the library's, read when they are asked for. */
export function openMetrics(streams: Streams): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  registerMetrics(registry, streams)
  return registry
}

/** Age of the oldest record that waits to be counted, as the library measures it; 0 where none waits. */
export async function lagMs(registry: Registry): Promise<number> {
  const metrics = await registry.getMetricsAsJSON()
  const lag = metrics.find(({ name }) => name.endsWith('consumer_lag_seconds'))
  if (!lag) throw new Error('the library has no metric consumer_lag_seconds any more')
  return Math.max(0, ...lag.values.map(({ value }) => value * 1000))
}
