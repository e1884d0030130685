// Compiled by type-errors.test.ts: each line that ends in a comment `error: …` must fail with that message, no other may.
import { int64, joinWindows, sessionWindows, string, timeWindows, untilWindowCloses } from '../../../src/index.ts'
import { names, votes } from './streams.ts'

const grouped = votes.groupByKey()

grouped.count({ store: { value: string() } }) // error: Type 'Serde<string>' is not assignable to type 'Serde<number>'.
grouped.count('votes-per-option') // error: Type '"votes-per-option"' has no properties in common with type 'CountOptions<string>'
grouped.count({ store: 'votes-per-option' }) // error: Type 'string' has no properties in common with type 'StoreOptions<string, number>'
grouped.reduce((a, b) => a.weight + b.weight) // error: Type 'number' is not assignable to type 'Vote'
grouped.aggregate({ add: (sum, vote) => Number(sum) + vote.weight }) // error: Property 'init' is missing in type
grouped.aggregate({ init: 0, add: (sum, vote) => Number(sum) + vote.weight }) // error: Type 'number' is not assignable to type '() => unknown'
grouped.aggregate({ init: () => 0 }) // error: Property 'add' is missing in type '{ init: () => number; }'
grouped.aggregate({ init: () => 0, add: (sum, vote) => `${sum}${vote.option}` }) // error: is not assignable to type 'number'
grouped.aggregate({ init: () => 0, add: (sum) => sum + 1, store: { value: string() } }) // error: Type 'Serde<string>' is not assignable to type 'Serde<number>'.
// An aggregate of which init says nothing. Where a list is spread, the compiler looks into it and names its elements only.
grouped.aggregate({ init: () => null, add: (_last, vote) => vote }) // error: '"say in init what the aggregate will be: init: (): Item | null => null"'
grouped.aggregate({ init: () => [], add: (list, vote) => [vote, ...list].slice(0, 9) }) // error: "say in init what the empty array will hold: init: (): Item[] => []"
grouped.aggregate({ init: () => [], add: (list, vote) => [...list, vote] }) // error: Type 'Vote' is not assignable to type 'never'

grouped.windowedBy(joinWindows({ difference: 5 })) // error: '"joinWindows() are for joins of streams: aggregate by timeWindows(), slidingWindows() or sessionWindows()"'
grouped.windowedBy({ size: 5 }) // error: 'size' does not exist in type 'SessionWindows | Windows'
grouped.windowedBy(timeWindows({ gap: 5 })) // error: 'gap' does not exist in type 'TimeWindowsOptions'
grouped.windowedBy(sessionWindows({ gap: 5 })).aggregate({ init: () => 0, add: (sum) => sum + 1 }) // error: Property 'merge' is missing in type
grouped.cogroup<number>((sum) => sum + 1).windowedBy(joinWindows({ difference: 5 })) // error: '"joinWindows() are for joins of streams

names.groupBy((key, name) => [name, key]).aggregate({ init: () => 0, add: (sum) => sum + 1 }) // error: Property 'subtract' is missing in type
names.groupBy((_key, name) => name) // error: Type 'string' is not assignable to type 'readonly [unknown, unknown]'
names.suppress(untilWindowCloses()) // error: Type '"window-closes"' is not assignable to type '"time-limit"'
names.groupByKey() // error: Property 'groupByKey' does not exist on type 'KTable<string, string>'. Did you mean 'groupBy'?
votes.groupBy((_key, vote) => vote.weight, { key: string() }) // error: Type 'number' is not assignable to type 'string'
votes.groupBy((_key, vote) => vote.option, { key: int64() }) // error: Type 'string' is not assignable to type 'number'
