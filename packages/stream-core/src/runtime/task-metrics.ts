/** Reasons that Kafka Streams' own `dropped-records` does not count (reference §5.13). */
const uncountedInJava = new Set(['no-key-to-partition-by', 'unmatched-branch'])

/** Reasons that say: the record came when its window, or its version, was closed. */
const lateReasons = new Set(['late', 'expired-window', 'expired-version'])

/** Plain counters of a task; read by `describeState()`, never by the hot path. */
export class TaskMetrics {
  recordsProcessed = 0
  /** Records that went no further, by `node/reason`: nothing is dropped silently. */
  readonly dropped = new Map<string, number>()

  /** Records that were sent to the dead-letter topic, by `topic/class`: where they came from, and the class of the error. */
  readonly deadLetters = new Map<string, number>()

  deadLetter(topic: string, errorName: string): void {
    const key = `${topic}/${errorName}`
    this.deadLetters.set(key, (this.deadLetters.get(key) ?? 0) + 1)
  }

  drop(nodeName: string, reason: string): void {
    const key = `${nodeName}/${reason}`
    this.dropped.set(key, (this.dropped.get(key) ?? 0) + 1)
  }

  /** How often a record came too late for a window or a version; one record may be late for several windows. */
  get late(): number {
    let sum = 0
    for (const [key, count] of this.dropped) if (lateReasons.has(key.slice(key.lastIndexOf('/') + 1))) sum += count
    return sum
  }

  /** What Kafka Streams' `dropped-records` would say. */
  get droppedRecords(): number {
    let sum = 0
    for (const [key, count] of this.dropped) {
      if (!uncountedInJava.has(key.slice(key.lastIndexOf('/') + 1))) sum += count
    }
    return sum
  }
}
