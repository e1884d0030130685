/** Metrics of an instance: for prom-client, or as text for Prometheus without it. */
export { type MetricsRegistry, metricsText, type MetricsOptions, registerMetrics } from './runtime/metrics-export.ts'
