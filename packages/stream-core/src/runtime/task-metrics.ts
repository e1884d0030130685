/** Plain counters of a task; read by `describeState()`, never by the hot path. */
export class TaskMetrics {
  recordsProcessed = 0
  /** Records that went no further, by `node/reason`: nothing is dropped silently. */
  readonly dropped = new Map<string, number>()

  drop(nodeName: string, reason: string): void {
    const key = `${nodeName}/${reason}`
    this.dropped.set(key, (this.dropped.get(key) ?? 0) + 1)
  }
}
