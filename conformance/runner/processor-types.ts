import type { ProcessorContext, Record as StreamRecord } from 'stream-core'
import type { Raw } from './format.ts'
import type { Value } from './values.ts'

export type Context = ProcessorContext<Value, Value>
export type Rec = StreamRecord<Value, Value>

/** What a processor does with one record; made once for each mention in a scenario. */
export type Action = (context: Context, record: Rec) => void

export interface ActionType {
  /** Fields besides `type` and `store`. */
  readonly fields: readonly string[]
  readonly make: (spec: Raw) => Action
}
