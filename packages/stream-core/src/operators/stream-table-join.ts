import type { Record } from '../common/record.ts'
import type { Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { GraceBuffer } from '../state/grace-buffer.ts'
import type { ValueGetter, ValueGetterSupplier } from './value-getter.ts'

export interface StreamTableJoinOptions<K, V, K2, V2, O> {
  readonly isLeft: boolean
  readonly table: ValueGetterSupplier<K2, V2>
  /** The table's key for a record: its own, or for a global table a mapped one. */
  readonly mapKey: (key: K, value: V) => K2 | null
  readonly joiner: (value: V, other: V2 | null, key: K) => O
  /** Records wait here until the table has caught up; null: joined at once. */
  readonly bufferName: string | null
  /** Java's buffer takes no null key, not even of a left join. */
  readonly refusesNullKeys: boolean
}

/**
 * Joins each record with what a table holds for its key; a versioned table is asked as of the record's time (reference
 * §3.3, §3.4). Records without a value are skipped and counted; without a key, unless it is a left join.
 */
export const streamTableJoin =
  <K, V, K2, V2, O>(options: StreamTableJoinOptions<K, V, K2, V2, O>) =>
  (): Processor<K, V, K, O> => {
    const { isLeft, table, mapKey, joiner, bufferName, refusesNullKeys } = options
    let context: EngineContext<K, O>
    let getter: ValueGetter<K2, V2>
    let buffer: GraceBuffer<K, V> | null = null

    const join = (record: Record<K, V>, mapped: K2 | null): void => {
      const { key, value, timestampMs, headers } = record
      const hasKey = mapped !== null && mapped !== undefined
      const found = !hasKey ? null : getter.isVersioned ? getter.getAsOf(mapped, timestampMs) : getter.get(mapped)
      if (found === null && !isLeft) return
      context.forward({ key, value: joiner(value, found?.value ?? null, key), timestampMs, headers })
    }

    return {
      init(given) {
        context = given as EngineContext<K, O>
        getter = table.open(context)
        if (bufferName !== null) buffer = context.getStateStore(bufferName)
      },
      process(record) {
        const { key, value } = record
        if (value === null || value === undefined) return context.drop('null-value')
        const mapped = mapKey(key, value)
        const hasKey = mapped !== null && mapped !== undefined
        if (!hasKey && !isLeft) return context.drop('null-key')
        if (buffer === null) return join(record, mapped)
        if (key === null || key === undefined) {
          if (refusesNullKeys) throw new RangeError('key cannot be null')
          // It matches nothing, whatever it waits for.
          return join(record, mapped)
        }
        if (!buffer.put(key, value, context.recordContext)) return join(record, mapped)
        buffer.evictDue(({ key: dueKey, value: dueValue, context: dueContext }) => {
          const outer = context.recordContext
          context.recordContext = dueContext
          try {
            const { timestampMs, headers } = dueContext
            join({ key: dueKey, value: dueValue, timestampMs, headers }, mapKey(dueKey, dueValue))
          } finally {
            context.recordContext = outer
          }
        })
      },
    }
  }
