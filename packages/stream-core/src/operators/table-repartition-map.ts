import type { Record } from '../common/record.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

export interface TableRepartitionMapOptions<K, V, K1, V1> {
  /** The group and the value of a row; null leaves the row out. */
  readonly selector: (key: K, value: V) => readonly [K1 | null, V1 | null] | null
  /** Equality of group keys: of what they are as bytes. */
  readonly isSameKey: (a: K1, b: K1) => boolean
  /** Behind a versioned table: what came after a later record is left out. */
  readonly dropsOlder: boolean
}

/**
 * KTable groupBy: sends each change to the group it belongs to. Where old and new value belong to one group it is one
 * record (KIP-904), else the old value leaves its group before the new one enters its own.
 */
export const tableRepartitionMap =
  <K, V, K1, V1>({ selector, isSameKey, dropsOlder }: TableRepartitionMapOptions<K, V, K1, V1>) =>
  (): Processor<K, Change<V>, K1, Change<V1>> => {
    let context: ProcessorContext<K1, Change<V1>>
    const select = (key: K, value: V | null): readonly [K1, V1] | null => {
      if (value === null || value === undefined) return null
      const pair = selector(key, value)
      if (pair === null || pair === undefined) return null
      if (pair[0] === null || pair[0] === undefined || pair[1] === null || pair[1] === undefined) return null
      return pair as readonly [K1, V1]
    }
    const send = (record: Record<K, unknown>, key: K1, newValue: V1 | null, oldValue: V1 | null, isLatest: boolean) =>
      context.forward({
        key,
        value: { newValue, oldValue, isLatest },
        timestampMs: record.timestampMs,
        headers: record.headers,
      })
    return {
      init: (given) => void (context = given),
      process(record) {
        const { key, value: change } = record
        if (key === null || key === undefined) throw new TypeError('a row to be grouped has no key')
        if (dropsOlder && !change.isLatest) return
        const now = select(key, change.newValue)
        const before = select(key, change.oldValue)
        if (now !== null && before !== null && isSameKey(before[0], now[0])) {
          return send(record, before[0], now[1], before[1], change.isLatest)
        }
        if (before !== null) send(record, before[0], null, before[1], change.isLatest)
        if (now !== null) send(record, now[0], now[1], null, change.isLatest)
      },
    }
  }
