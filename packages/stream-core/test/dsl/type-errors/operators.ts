// Compiled by type-errors.test.ts: each line that ends in a comment `error: …` must fail with that message, no other may.
import { stores, string } from '../../../src/index.ts'
import { builder, names, votes } from './streams.ts'

votes.to('out', { value: string() }) // error: Type 'Serde<string>' is not assignable to type 'Serde<Vote>'.
votes.to((_key, vote) => vote.weight) // error: Type 'number' is not assignable to type 'string'
votes.mapValues((vote) => vote.name) // error: Property 'name' does not exist on type 'Vote'
votes.mapValues(async (vote) => vote.option).to('out', { value: string() }) // error: Type 'Serde<string>' is not assignable to type 'Serde<Promise<string>>'.
votes.mapValuesAsync((vote) => vote.option) // error: Type 'string' is not assignable to type 'Promise<unknown>'
votes.flatMapValues((vote) => vote.weight) // error: Type 'number' is not assignable to type 'Iterable<unknown>'
votes.map((key, vote) => ({ key, value: vote })) // error: Type '{ key: string; value: Vote; }' is not assignable to type 'readonly [unknown, unknown]'
votes.filter((_key, vote) => vote.weight) // error: Type 'number' is not assignable to type 'boolean'
votes.split({ heavy: (_key, vote) => vote.weight > 5, rest: 'other' }) // error: Type '"other"' is not assignable to type
votes.toTable({ store: 'votes' }) // error: Type 'string' has no properties in common with type 'StoreOptions<string, Vote>'
names.suppress({ until: 'later' }) // error: Type '"later"' is not assignable to type

builder.stream('votes', { key: string, value: string() }) // error: Type '() => Serde<string>' is not assignable to type 'Serde<unknown>'
builder.stream('votes', { keySerde: string() }) // error: 'keySerde' does not exist in type 'Consumed<unknown, unknown>'
stores.keyValue({ name: 's', key: string() }) // error: Property 'value' is missing in type
stores.window({ name: 's', key: string(), value: string(), windowSizeMs: 5 }) // error: Property 'retentionMs' is missing

votes.process(() => ({ process: (record) => record.value.waight }), { stores: ['seen'] }) // error: Property 'waight' does not exist on type 'Vote'. Did you mean 'weight'?
votes.process(() => ({ process() {} }), { stores: 'seen' }) // error: Type 'string' is not assignable to type 'readonly ProcessorStore[]'
votes.processValues({ stores: [], create: () => ({ process() {} }) }) // error: 'create' does not exist in type 'FixedKeyProcessorSupplier<string, Vote, unknown>'
