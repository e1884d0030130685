import type { RecordQueue } from './record-queue.ts'

/**
 * Chooses the queue whose record is next: lowest event time first. Ties are decided as java.util.PriorityQueue decides
 * them, a binary heap ordered by head time only, for that order shows in results (conformance-format §3 rule 3).
 */
export class PartitionGroup {
  readonly #heap: RecordQueue[] = []

  get isEmpty(): boolean {
    return this.#heap.length === 0
  }

  /** Event time of the next record; Infinity when there is none. */
  get nextTimeMs(): number {
    return this.#heap.length === 0 ? Infinity : timeOf(this.#heap[0]!)
  }

  /** A queue that turned non-empty. */
  offer(queue: RecordQueue): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(queue)
    const time = timeOf(queue)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (timeOf(heap[parent]!) <= time) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = queue
  }

  /** Takes the queue with the lowest head; the caller offers it again if it is still non-empty. */
  poll(): RecordQueue | null {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined) return null
    const last = heap.pop()!
    if (heap.length > 0) this.#siftDown(last)
    return first
  }

  clear(): void {
    this.#heap.length = 0
  }

  #siftDown(queue: RecordQueue): void {
    const heap = this.#heap
    const time = timeOf(queue)
    const half = heap.length >>> 1
    let at = 0
    while (at < half) {
      let child = 2 * at + 1
      const right = child + 1
      if (right < heap.length && timeOf(heap[child]!) > timeOf(heap[right]!)) child = right
      if (time <= timeOf(heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = queue
  }
}

const timeOf = (queue: RecordQueue): number => queue.head!.timestampMs
