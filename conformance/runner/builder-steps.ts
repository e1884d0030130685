import type { StreamsBuilder } from 'stream-core'
import { type Handle, handle, type Operations, streamHandle, tableHandle } from './dsl-handles.ts'
import { given, object, type Raw, required, text, texts } from './format.ts'
import { consumed, materialized } from './options.ts'
import { globalUpdateSupplier } from './processors.ts'
import { storeSpec } from './store-specs.ts'

/** Java takes the serdes of a table that is read from its Consumed where there is one, and never those of its Materialized. */
function readAndKept(step: Raw) {
  const { store } = materialized(step)
  if (object(step, 'consumed') === undefined || store === undefined) return { ...consumed(step), ...given({ store }) }
  const { key: _key, value: _value, ...kept } = store
  return { ...consumed(step), store: kept }
}

/** The operations that begin a topology: sources and stores (format §4). */
export const builderSteps: Operations<StreamsBuilder> = {
  stream: {
    fields: ['topics', 'pattern', 'consumed'],
    apply(builder, step): Handle {
      const pattern = text(step, 'pattern')
      const topics = pattern === undefined ? required(texts, step, 'topics') : new RegExp(pattern)
      return streamHandle(builder.stream(topics, consumed(step)))
    },
  },
  table: {
    fields: ['topic', 'consumed', 'materialized'],
    apply(builder, step) {
      const options = readAndKept(step)
      return tableHandle(builder.table(required(text, step, 'topic'), options as never))
    },
  },
  globalTable: {
    fields: ['topic', 'consumed', 'materialized'],
    apply(builder, step) {
      const options = readAndKept(step)
      return handle('globalTable', builder.globalTable(required(text, step, 'topic'), options as never))
    },
  },
  addStateStore: {
    fields: ['store'],
    apply(builder, step) {
      builder.addStateStore(storeSpec(required(object, step, 'store')))
      return null
    },
  },
  addGlobalStore: {
    fields: ['store', 'topic', 'consumed', 'processor'],
    apply(builder, step) {
      const store = storeSpec({ ...required(object, step, 'store'), logging: false })
      const options = { store, topic: required(text, step, 'topic'), ...given(consumed(step)) }
      builder.addGlobalStore(options, globalUpdateSupplier(step))
      return null
    },
  },
}
