export interface Quantiles {
  readonly count: number
  readonly p50: number | null
  readonly p99: number | null
  readonly max: number | null
}

/** Of times in milliseconds; null where there are none. */
export function quantiles(times: readonly number[]): Quantiles {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number | null =>
    sorted.length === 0 ? null : rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!)
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

export const rounded = (value: number): number => Number(value.toPrecision(3))
