/**
 * Where positions of the old log are in the new one, which begins at 0 and has no gaps. Only those that are asked for are
 * kept: the ends of results, and not an entry for each record.
 */
export class OffsetMap {
  /** Of each partition the positions that are asked for, ascending, each with the new one once it has been come past. */
  readonly #wanted: readonly { readonly before: number; after: number | null }[][]
  readonly #passed: number[]
  readonly #counts: number[]

  constructor(partitions: number, wanted: readonly { readonly [partition: string]: number }[]) {
    this.#wanted = Array.from({ length: partitions }, (_, partition) => {
      const positions = new Set(wanted.flatMap((positions) => positions[partition] ?? []))
      return [...positions].sort((a, b) => a - b).map((before) => ({ before, after: null }))
    })
    this.#passed = Array.from({ length: partitions }, () => 0)
    this.#counts = Array.from({ length: partitions }, () => 0)
  }

  /** The next record of a partition: its offset then and now. */
  note(partition: number, before: number, after: number): void {
    const wanted = this.#wanted[partition]!
    for (
      ;
      wanted[this.#passed[partition]!] && wanted[this.#passed[partition]!]!.before <= before;
      this.#passed[partition]!++
    )
      wanted[this.#passed[partition]!]!.after = after
    this.#counts[partition] = after + 1
  }

  /** The new position of one that was asked for; behind all records where none has come after it. */
  of(partition: number, before: number): number {
    const after = this.#wanted[partition]?.find((one) => one.before === before)?.after
    return after ?? this.#counts[partition] ?? 0
  }
}
