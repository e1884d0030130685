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
