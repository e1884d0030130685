// @ts-check

/** The windows of the trend for a range: their name in the protocol, their width, and how far back they go. */
export const ranges = {
  '5m': { res: '1s', stepMs: 1000, lengthMs: 300_000 },
  '1h': { res: '10s', stepMs: 10_000, lengthMs: 3_600_000 },
  all: { res: '1m', stepMs: 60_000, lengthMs: Infinity },
}

export const minuteMs = 60_000

/** @typedef {keyof typeof ranges} Range */

/**
 * The net changes that the server sends, as the columns that a chart shows.
 *
 * @param {{ options: { id: string }[], opensAt: number }} poll
 */
export function createTrend(poll) {
  /** Net change of each option by window start. @type {Map<number, number[]>} */
  let buckets = new Map()
  /** Start of the oldest window the server sent. */
  let begin = poll.opensAt

  const sumOf = (/** @type {number} */ start) => (buckets.get(start) ?? []).reduce((sum, count) => sum + count, 0)

  /**
   * Of a window that is a minute itself and not over yet it cannot be said.
   *
   * @param {number[]} starts @param {number} stepMs @param {number} endMs @returns {(number | null)[]}
   */
  function perMinute(starts, stepMs, endMs) {
    let sum = 0
    const [first = 0] = starts
    for (let start = first + stepMs - minuteMs; start < first; start += stepMs) sum += sumOf(start)
    return starts.map((start) => {
      sum += sumOf(start)
      const all = sum
      sum -= sumOf(start + stepMs - minuteMs)
      return stepMs === minuteMs && start + stepMs > endMs ? null : all
    })
  }

  return {
    clear() {
      buckets = new Map()
    },
    /** A whole trend. @param {{ t0: number | null, step: number, cols: number[][] }} trend @param {number} nowMs */
    take({ t0, step, cols }, nowMs) {
      buckets = new Map()
      begin = t0 ?? nowMs
      for (let i = 0; i < (cols[0]?.length ?? 0); i++) {
        const counts = cols.map((column) => column[i] ?? 0)
        if (counts.some((count) => count !== 0)) buckets.set(begin + i * step, counts)
      }
    },
    /** Windows that have changed. @param {[number, number[]][]} changed */
    add(changed) {
      for (const [start, counts] of changed) buckets.set(start, counts)
    },
    /** Votes that came since a moment, by option; a vote that was taken back is one less. @param {number} fromMs */
    since(fromMs) {
      const sums = poll.options.map(() => 0)
      for (const [start, counts] of buckets) if (start >= fromMs) counts.forEach((count, i) => (sums[i] += count))
      return sums
    },
    /**
     * Start of each window of a range, of each option the running sum at its end and the change in it, and the votes of all
     * options in the minute that ends with it.
     *
     * @param {Range} range @param {Record<string, number>} totals what the sums end at @param {number} endMs
     */
    columns(range, totals, endMs) {
      const { stepMs, lengthMs } = ranges[range]
      const last = Math.floor(endMs / stepMs) * stepMs
      const first = Math.max(Math.floor(begin / stepMs) * stepMs, lengthMs === Infinity ? 0 : last - lengthMs)
      const sums = poll.options.map(({ id }) => totals[id] ?? 0)
      for (const [start, counts] of buckets) {
        if (start >= first) counts.forEach((count, i) => (sums[i] = (sums[i] ?? 0) - count))
      }
      /** @type {number[]} */
      const starts = []
      const cumulative = poll.options.map(() => /** @type {number[]} */ ([]))
      const changes = poll.options.map(() => /** @type {number[]} */ ([]))
      for (let start = first; start <= last; start += stepMs) {
        const counts = buckets.get(start)
        starts.push(start)
        for (let i = 0; i < sums.length; i++) {
          const change = counts?.[i] ?? 0
          sums[i] = (sums[i] ?? 0) + change
          cumulative[i]?.push(sums[i] ?? 0)
          changes[i]?.push(change)
        }
      }
      return { starts, cumulative, changes, rate: perMinute(starts, stepMs, endMs) }
    },
  }
}

/** From each row to the next. @param {(number | null)[]} column */
export const changesOf = (column) =>
  column.map((value, i) => (value === null ? null : value - (i === 0 ? 0 : (column[i - 1] ?? 0))))

/** Of each row the largest less the second largest; nothing where there is nothing. @param {(number | null)[][]} columns */
export const marginOf = (columns) =>
  (columns[0] ?? []).map((first0, row) => {
    if (first0 === null) return null
    const [first = 0, second = 0] = columns.map((column) => column[row] ?? 0).sort((a, b) => b - a)
    return first - second
  })

/** Of each row the parts of the whole. @param {(number | null)[][]} columns */
export const sharesOf = (columns) =>
  columns.map((column) =>
    column.map((count, row) => {
      const all = columns.reduce((sum, each) => sum + (each[row] ?? 0), 0)
      return count === null || all === 0 ? null : count / all
    }),
  )
