import type { Processor } from '../processor/processor.ts'
import type { ProcessorContext } from '../processor/processor-context.ts'

export interface BranchTarget<K, V> {
  readonly childName: string
  /** null: takes what no branch before it took, wherever it stands. */
  readonly predicate: ((key: K, value: V) => boolean) | null
}

/** Hands each record to the first branch whose predicate holds; to the default branch, if there is one, when none does. */
export const branch =
  <K, V>(targets: readonly BranchTarget<K, V>[]) =>
  (): Processor<K, V> => {
    let context: ProcessorContext<K, V>
    const otherwise = targets.find(({ predicate }) => predicate === null)
    return {
      init: (given) => void (context = given),
      process(record) {
        for (let i = 0; i < targets.length; i++) {
          const { predicate, childName } = targets[i]!
          if (predicate !== null && predicate(record.key, record.value)) return context.forward(record, childName)
        }
        if (otherwise !== undefined) context.forward(record, otherwise.childName)
        else context.drop('unmatched-branch')
      },
    }
  }
