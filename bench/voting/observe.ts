import { processFamily } from './process-family.ts'
import type { Part } from './system.ts'

/** What a process says of itself on its operations port. */
export interface Observed {
  readonly cpuSeconds: number
  readonly rssMb: number
  /** Since it was last asked. Node samples each ten milliseconds, which are in it. null: it has no event loop of ours. */
  readonly loopDelayP99Ms: number | null
}

export async function observe({ ops, pid }: Part): Promise<Observed> {
  if (ops === null) {
    const { cpuSeconds, rssMb } = processFamily(pid) ?? { cpuSeconds: NaN, rssMb: NaN }
    return { cpuSeconds, rssMb, loopDelayP99Ms: null }
  }
  const text = await (await fetch(`${ops}/metrics`)).text()
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)
  return {
    cpuSeconds: value('process_cpu_seconds_total'),
    rssMb: Math.round(value('process_resident_memory_bytes') / 1e6),
    loopDelayP99Ms: Math.round(value('nodejs_eventloop_lag_p99_seconds') * 1000),
  }
}

export interface Usage {
  readonly part: string
  /** Cores that it took, on average. */
  readonly cores: number
  readonly rssMb: number
  readonly loopDelayP99Ms: number | null
}

/** Looks at parts for as long as `work` takes. */
export async function during<T>(
  parts: readonly Part[],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly usage: readonly Usage[]; readonly seconds: number }> {
  const before = await Promise.all(parts.map(observe))
  const startMs = performance.now()
  const result = await work()
  const seconds = (performance.now() - startMs) / 1000
  const after = await Promise.all(parts.map(observe))
  const usage = parts.map(({ name }, i) => ({
    part: name,
    cores: Number(((after[i]!.cpuSeconds - before[i]!.cpuSeconds) / seconds).toFixed(2)),
    rssMb: after[i]!.rssMb,
    loopDelayP99Ms: after[i]!.loopDelayP99Ms,
  }))
  return { result, usage, seconds }
}
