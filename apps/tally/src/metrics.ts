import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Streams } from 'stream-core'

/** Metrics of the tally, read from the library when they are asked for. */
export function openMetrics(streams: Streams): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset()
        collect(this)
      },
    })
  }
  gauge('streams_state', '1 for the state the application is in', ['state'], (metric) => {
    metric.set({ state: streams.state }, 1)
  })
  gauge('streams_records_processed_total', 'Records that went through a task', ['task'], (metric) => {
    for (const { taskId, recordsProcessed } of streams.describeState().tasks)
      metric.set({ task: taskId }, recordsProcessed)
  })
  gauge(
    'streams_records_dropped_total',
    'Records that went no further, with the reason',
    ['task', 'node', 'reason'],
    (metric) => {
      for (const { taskId, dropped } of streams.describeState().tasks) {
        for (const [nodeAndReason, count] of Object.entries(dropped)) {
          const at = nodeAndReason.lastIndexOf('/')
          metric.set({ task: taskId, node: nodeAndReason.slice(0, at), reason: nodeAndReason.slice(at + 1) }, count)
        }
      }
    },
  )
  return registry
}
