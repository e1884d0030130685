import type { Serde } from '../common/serde.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { TopologyBuilder } from '../topology/topology-builder.ts'
import type { Topology } from '../topology/topology.ts'
import { anySerde, type BuildContext, requireSerde } from './build-context.ts'
import { KStream } from './kstream.ts'
import { Names } from './names.ts'
import type { Consumed, StoreOptions } from './options.ts'

export interface StreamsBuilderOptions {
  /** Serdes for topics and stores that name none. */
  readonly defaults?: { readonly key?: Serde<never>; readonly value?: Serde<never> }
}

/** The start of a topology in the DSL: streams from topics, stores for processors, and `build()` at the end. */
export class StreamsBuilder {
  readonly #context: BuildContext

  constructor(options: StreamsBuilderOptions = {}) {
    this.#context = {
      builder: new TopologyBuilder(),
      names: new Names(),
      defaultKey: (options.defaults?.key as Serde<unknown> | undefined) ?? null,
      defaultValue: (options.defaults?.value as Serde<unknown> | undefined) ?? null,
      stream: (position) => new KStream(position),
    }
  }

  /** A stream of the records of one topic, or of several. */
  stream<K, V>(topics: string | readonly string[], consumed: Consumed<K, V> = {}): KStream<K, V> {
    const { builder, names, defaultKey, defaultValue } = this.#context
    const name = consumed.name ?? names.node('KSTREAM-SOURCE')
    const list = typeof topics === 'string' ? [topics] : topics
    const where = `the source of "${list.join('", "')}"`
    const key = requireSerde(anySerde(consumed.key, defaultKey), 'key', where, 'consumed.key')
    const value = requireSerde(anySerde(consumed.value, defaultValue), 'value', where, 'consumed.value')
    builder.addSource({ name, topics: list, key, value, timestampExtractor: consumed.timestampExtractor ?? null })
    return new KStream({ context: this.#context, nodeName: name, key, value, isRepartitionRequired: false })
  }

  /** A key-value store for `process`, connected there by name. */
  addKeyValueStore<K, V>(store: StoreOptions<K, V> & { name: string; key: Serde<K>; value: Serde<V> }): this {
    const logging =
      store.logging === false
        ? null
        : {
            'cleanup.policy': 'compact',
            'message.timestamp.type': 'CreateTime',
            ...(typeof store.logging === 'object' ? store.logging : {}),
          }
    const spec: StoreSpec = {
      kind: 'keyValue',
      name: store.name,
      key: store.key as unknown as Serde<unknown>,
      value: store.value as unknown as Serde<unknown>,
      timestamped: false,
      caching: false,
      logging,
      inMemory: store.type === 'in-memory',
    }
    this.#context.builder.addStateStore(spec)
    return this
  }

  build(): Topology {
    return this.#context.builder.build()
  }
}
