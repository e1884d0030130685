import type { Broker, Topology } from '../../src/index.ts'
import { readAll } from '../support/log-records.ts'
import { groupCount, type Total } from './chaos-topology.ts'

export interface Reconciliation {
  readonly written: number
  /** Records that `echo` does not have. */
  readonly lost: number
  /** Records that `echo` has more than once. */
  readonly doubled: number
  /** What does not add up, in words; empty when all is well. */
  readonly wrong: readonly string[]
}

const number = (text: string): number => Number(Buffer.from(text, 'latin1').readBigInt64BE())
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until all that was written is processed, then compares every topic with what must be in it. */
export async function reconcile(
  broker: Broker,
  prefix: string,
  written: number,
  topology: Topology,
  deadlineMs: number,
): Promise<Reconciliation> {
  const wrong: string[] = []
  if (!(await isDone(broker, prefix, deadlineMs))) wrong.push(`not all was processed within ${deadlineMs} ms`)

  // Every record is passed on once.
  const seen = new Uint32Array(written)
  for (const { value } of await readAll(broker, `${prefix}-echo`)) seen[number(value!)]!++
  const lost = seen.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0)
  const doubled = seen.reduce((sum, count) => sum + (count > 1 ? 1 : 0), 0)

  // Every group has counted each of its records once, at every moment: no count falls or comes twice.
  const expected = Array.from({ length: groupCount }, () => ({ count: 0, sum: 0 }))
  for (let i = 0; i < written; i++) {
    const group = expected[(i % (groupCount * 20)) % groupCount]!
    group.count++
    group.sum += i
  }
  const totals = new Map<number, Total>()
  for (const { key, value } of await readAll(broker, `${prefix}-totals`)) {
    const group = Buffer.from(key!, 'latin1').readInt32BE()
    const total = JSON.parse(value!) as Total
    const before = totals.get(group)?.count ?? 0
    if (total.count <= before) wrong.push(`group ${group} went from ${before} to ${total.count}`)
    totals.set(group, total)
  }
  for (const [group, { count, sum }] of expected.entries()) {
    const total = totals.get(group)
    if (total?.count !== count || total.sum !== sum) {
      wrong.push(`group ${group}: expected ${count} with the sum ${sum}, found ${total?.count} with ${total?.sum}`)
    }
  }

  // Windows sum up to the totals.
  const windows = new Map<string, number>()
  for (const { key, value } of await readAll(broker, `${prefix}-windows`)) windows.set(key!, number(value!))
  const sums = new Map<number, number>()
  for (const [key, count] of windows) {
    const group = Number(key.split('@')[0])
    sums.set(group, (sums.get(group) ?? 0) + count)
  }
  for (const [group, { count }] of expected.entries()) {
    if (sums.get(group) !== count) wrong.push(`windows of group ${group} sum up to ${sums.get(group)}, not ${count}`)
  }

  // The changelog says what the output said last.
  const stored = new Map<number, string>()
  for (const { key, value } of await readAll(broker, `${prefix}-totals-changelog`)) {
    stored.set(Buffer.from(key!, 'latin1').readInt32BE(), value!)
  }
  for (const [group, total] of totals) {
    if (stored.get(group) !== JSON.stringify(total))
      wrong.push(`the changelog has ${stored.get(group)} for group ${group}`)
  }
  if (topology.stores.length !== 2) wrong.push('the topology has other stores than are checked here')
  return { written, lost, doubled, wrong: wrong.slice(0, 20) }
}

/** Input and repartition topic are committed up to their ends. */
async function isDone(broker: Broker, prefix: string, deadlineMs: number): Promise<boolean> {
  const endMs = Date.now() + deadlineMs
  const topics = [`${prefix}-events`, `${prefix}-by-group-repartition`]
  while (Date.now() < endMs) {
    let isAtEnd = true
    // In this order: only when no input is left does nothing more come behind it.
    for (const topic of topics) {
      const count = (await broker.admin.describeTopics([topic])).get(topic)?.partitionCount ?? 0
      const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }))
      const ends = await broker.admin.listOffsets(partitions, 'latest')
      const committed = await broker.admin.committedOffsets(prefix, partitions, { requireStable: true })
      isAtEnd &&= count > 0 && committed.every(({ offset }, i) => offset >= ends[i]!)
    }
    if (isAtEnd) return true
    await delay(300)
  }
  return false
}
