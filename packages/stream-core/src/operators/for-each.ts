import type { Processor } from '../processor/processor.ts'

/** Ends a stream in a function. */
export const forEach =
  <K, V>(action: (key: K, value: V) => void) =>
  (): Processor<K, V, never, never> => ({
    process: ({ key, value }) => action(key, value),
  })
