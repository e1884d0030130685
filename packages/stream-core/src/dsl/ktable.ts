import { tableToStream } from '../operators/table-to-stream.ts'
import { addProcessor, type Position } from './build-context.ts'
import type { KStream } from './kstream.ts'
import type { Named } from './options.ts'

/** A table: the latest value of each key, and the changes that lead to it. */
export class KTable<K, V> {
  readonly #position: Position
  /** Name of the store that holds it, for interactive queries. */
  readonly storeName: string

  constructor(position: Position, storeName: string) {
    this.#position = position
    this.storeName = storeName
  }

  /** Its changes as a stream; a deletion is a null value. */
  toStream(options: Named = {}): KStream<K, V> {
    const name = options.name ?? this.#position.context.names.node('KTABLE-TOSTREAM')
    addProcessor(this.#position, name, tableToStream())
    return this.#position.context.stream({ ...this.#position, nodeName: name })
  }
}
