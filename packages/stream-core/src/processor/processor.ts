import type { Record } from '../common/record.ts'
import type { ProcessorContext } from './processor-context.ts'

/**
 * A node's code: `process` is called for each record and forwards any number of records through the context. It is
 * synchronous (D10); records are immutable. A supplier makes one instance per task.
 */
export interface Processor<KIn, VIn, KOut = KIn, VOut = VIn> {
  init?(context: ProcessorContext<KOut, VOut>): void
  process(record: Record<KIn, VIn>): void
  close?(): void
}

export type ProcessorSupplier<KIn, VIn, KOut = KIn, VOut = VIn> = () => Processor<KIn, VIn, KOut, VOut>

/** A change of a table: what it is now and what it was. */
export interface Change<V> {
  readonly newValue: V | null
  /** null also where nobody downstream asked for old values. */
  readonly oldValue: V | null
}
