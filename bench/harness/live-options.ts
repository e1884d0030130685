import type { Guarantee } from './job.ts'
import type { Present } from './provide.ts'

/** Of benches in which votes come while they are counted. */
export interface LiveOptions<Row> {
  readonly present: readonly Present[]
  readonly guarantees: readonly Guarantee[]
  readonly rounds: number
  /** How long everything works before anything is measured. */
  readonly warmUpSeconds: number
  /** How long is measured. */
  readonly seconds: number
  /** null: found out, or what the bench says. */
  readonly votesPerSecond: number | null
  readonly onRow: (row: Row) => void
  readonly say: (text: string) => void
  readonly overhear: (text: string) => void
}
