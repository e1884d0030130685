import type { InstanceReport } from './instance-report.ts'
import { flag, listOf, number, objectOf, oneOf, orNull, type Shape, text } from './shape.ts'

const input = objectOf({
  topic: text,
  partition: number,
  position: number,
  lag: orNull(number),
  lagMs: orNull(number),
  perSecond: orNull(number),
})

const restore = objectOf({
  done: number,
  left: number,
  etaMs: orNull(number),
  changelogs: listOf(objectOf({ topic: text, from: number, position: number, end: number })),
})

const task = objectOf({
  taskId: (value) => typeof value === 'string' && /^\d{1,9}_\d{1,9}$/.test(value),
  phase: oneOf('running', 'restoring', 'standby'),
  lag: orNull(number),
  lagMs: orNull(number),
  processed: number,
  perSecond: orNull(number),
  streamTimeMs: orNull(number),
  late: number,
  inputs: listOf(input),
  stores: listOf(objectOf({ name: text, memoryEntries: number })),
  restore: orNull(restore),
})

const node = objectOf({
  node: text,
  taken: number,
  perSecond: orNull(number),
  dropped: listOf(objectOf({ reason: text, count: number })),
})

const stage = objectOf({
  stage: text,
  of: text,
  count: number,
  meanMs: number,
  p50Ms: number,
  p99Ms: number,
  isOver: flag,
})

const report = objectOf({
  v: (value) => value === 1,
  processId: orNull(text),
  applicationId: text,
  topologyHash: text,
  state: text,
  isPaused: flag,
  error: orNull(text),
  atMs: number,
  generationId: number,
  members: listOf(objectOf({ processId: text, endpoint: orNull(text), active: listOf(text), standby: listOf(text) })),
  widths: listOf(objectOf({ subtopology: number, partitions: isWidth })),
  tasks: listOf(task),
  nodes: listOf(node),
  stages: listOf(stage),
  load: orNull(objectOf({ poll: number, process: number, punctuate: number, commit: number })),
  history: objectOf({ everyMs: number, perSecond: listOf(number), lag: listOf(number) }),
  counts: objectOf({
    commits: number,
    commitFailures: number,
    recoveries: number,
    transactionAborts: number,
    fenced: number,
    failures: number,
  }),
  deadLetters: listOf(objectOf({ topic: text, class: text, count: number })),
  events: listOf(
    objectOf({
      atMs: isTime,
      kind: oneOf('state', 'rebalance', 'restored', 'recovery', 'failure'),
      text,
      durationMs: orNull(number),
    }),
  ),
  facts: listOf(objectOf({ name: text, value: text })),
} satisfies { readonly [name in keyof InstanceReport]: Shape })

/** Whoever is in the group may have sent it: what is not of the form is not shown at all. */
export const isInstanceReport = (value: unknown): value is InstanceReport => report(value)

/** More tasks than that nobody has; a number out of the blue would be made a list of. */
function isWidth(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100_000
}

function isTime(value: unknown): boolean {
  return number(value) && Math.abs(value as number) <= 8.64e15
}
