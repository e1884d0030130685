/**
 * Updates that one process sends in a second, all pages together. Each costs some 25 µs, most of it in the kernel, so that this
 * is a quarter of a core, and leaves pages that come and go the rest.
 */
const updatesPerSecondMax = 10_000

/**
 * Least time between two updates of a page, in milliseconds: what is asked for, and more where there are many pages. Up to a
 * thousand pages get ten updates a second, ten thousand get one.
 */
export const updatePaceMs = (tickMs: number, connections: number): number =>
  Math.max(tickMs, (connections / updatesPerSecondMax) * 1000)
