// Compiled by type-errors.test.ts: each line that ends in a comment `error: …` must fail with that message, no other may.
import { int64, json, joinWindows, StreamsBuilder, string, stores } from '../../../src/index.ts'

interface Vote {
  readonly option: string
  readonly weight: number
}

const builder = new StreamsBuilder()
const votes = builder.stream('votes', { key: string(), value: json<Vote>() })
const names = builder.table('names', { key: string(), value: string() })
const numbers = builder.table('numbers', { key: int64(), value: string() })

votes.to('out', { value: string() }) // error: Type 'Serde<string>' is not assignable to type 'Serde<Vote>'
votes.groupBy((_key, vote) => vote.weight, { key: string() }) // error: Type 'number' is not assignable to type 'string'
votes.groupByKey().count({ store: { value: string() } }) // error: Type 'Serde<string>' is not assignable to type 'Serde<number>'
votes.join(names, (vote, name) => vote.option + name.weight) // error: Property 'weight' does not exist on type 'string'
votes.join(numbers, (vote) => vote) // error: is not assignable to
votes.join(votes, (a) => a) // error: Type 'KStream<string, Vote>' is missing the following properties from type 'KTable
votes.join(votes, (a) => a, { windows: joinWindows({ difference: '5 s' }) }) // error: Type 'string' is not assignable to type 'Duration'
votes.mapValues((vote) => vote.name) // error: Property 'name' does not exist on type 'Vote'
votes.groupByKey().aggregate({ init: () => 0, add: (sum, vote) => `${sum}${vote.option}` }) // error: Type 'string' is not assignable to type 'number'
stores.window({ name: 's', key: string(), value: string(), windowSizeMs: 5 }) // error: Property 'retentionMs' is missing
names.suppress({ until: 'later' }) // error: Type '"later"' is not assignable to type
