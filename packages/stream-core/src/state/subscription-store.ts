import type { Headers } from '../common/record.ts'
import { bytesEntry } from './entry.ts'
import { type InnerStore, plainInner } from './inner-store.ts'
import { incremented } from './next-key.ts'
import { StoreBase, type StoreParts } from './store-base.ts'
import type { SubscriptionStoreSpec } from './store-spec.ts'
import { plainLayout } from './table-layout.ts'

/**
 * Who subscribed to which foreign key: `length(fk)(4) ‖ fk ‖ pk` to the wrapper's bytes. Its changelog records carry the
 * headers of the subscription (reference §4.4).
 */
export class SubscriptionStore extends StoreBase<SubscriptionStoreSpec> {
  constructor(spec: SubscriptionStoreSpec, parts: StoreParts) {
    super(spec, parts, { layout: plainLayout, encode: (value) => value as Buffer })
  }

  put(key: string, wrapper: Buffer, timestampMs: number, headers: Headers): void {
    this.rows.put(key, bytesEntry(wrapper, timestampMs, headers))
  }

  delete(key: string): void {
    const { timestampMs, headers } = this.host.recordContext
    this.rows.put(key, bytesEntry(null, timestampMs, headers))
  }

  /** All subscriptions to one foreign key, by primary key bytes. */
  *withPrefix(prefix: string): Generator<[key: string, wrapper: Buffer]> {
    for (const [key, entry] of this.rows.range(prefix, incremented(prefix))) yield [key, entry.bytes!]
  }

  protected inner(): InnerStore {
    return plainInner(this.table)
  }
}
