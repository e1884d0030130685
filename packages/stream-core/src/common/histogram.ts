/** Counts of values by size. Bounds are fixed, so that observing allocates nothing. */
export class Histogram {
  /** Ascending; a value counts under the first that is not smaller. */
  readonly bounds: readonly number[]
  /** By bound, and one more for what is above all. Not cumulative. */
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let i = 0
    while (i < this.bounds.length && value > this.bounds[i]!) i++
    this.counts[i]!++
    this.sum += value
    this.count++
  }
}
