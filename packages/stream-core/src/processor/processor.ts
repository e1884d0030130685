import type { Record } from '../common/record.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { FixedKeyProcessorContext, ProcessorContext } from './processor-context.ts'

/**
 * A node's code: `process` is called for each record and forwards any number of records through the context. It is
 * synchronous (D10); records are immutable. A supplier makes one instance per task.
 */
export interface Processor<KIn, VIn, KOut = KIn, VOut = VIn> {
  init?(context: ProcessorContext<KOut, VOut>): void
  process(record: Record<KIn, VIn>): void
  close?(): void
}

/** Makes a processor; `stores` are added to the topology and connected to its node. */
export interface ProcessorSupplier<KIn, VIn, KOut = KIn, VOut = VIn> {
  (): Processor<KIn, VIn, KOut, VOut>
  readonly stores?: readonly StoreSpec[]
  /** Its node makes asynchronous calls: such tasks commit on their own, so that a slow call holds nobody else's commit. */
  readonly isAsync?: true
}

/** A processor that cannot change the key, so that nothing has to be repartitioned after it. */
export interface FixedKeyProcessor<K, VIn, VOut = VIn> {
  init?(context: FixedKeyProcessorContext<K, VOut>): void
  process(record: Record<K, VIn>): void
  close?(): void
}

export interface FixedKeyProcessorSupplier<K, VIn, VOut = VIn> {
  (): FixedKeyProcessor<K, VIn, VOut>
  readonly stores?: readonly StoreSpec[]
}

/** A change of a table: what it is now and what it was. */
export interface Change<V> {
  readonly newValue: V | null
  /** null also where nobody downstream asked for old values. */
  readonly oldValue: V | null
  /** False only behind a versioned table, for a record that came after a later one. */
  readonly isLatest: boolean
}
