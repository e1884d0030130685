import { Gauge, type Registry } from 'prom-client'

/** A gauge whose value is asked for whenever somebody reads it. */
export function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read())
    },
  })
}
