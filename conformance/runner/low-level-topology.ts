import { type TimestampExtractor, type Topology, TopologyBuilder } from 'stream-core'
import { JavaError } from './error-classes.ts'
import { javaRules } from '../../packages/stream-core/src/common/java-rules.ts'
import { checkFields, FormatError, given, object, type Raw, required, type Scenario, text, texts } from './format.ts'
import { processorSupplier } from './processors.ts'
import { serdeOf } from './serdes.ts'
import { storeSpec } from './store-specs.ts'
import { timestampExtractor } from './timestamp-extractors.ts'

type Apply = (builder: TopologyBuilder, step: Raw, extractor: TimestampExtractor | undefined) => void

const serdes = (step: Raw) => ({
  key: serdeOf(step['keySerde'] ?? null) as never,
  value: serdeOf(step['valueSerde'] ?? null) as never,
})

/** Java takes no call that connects nothing. */
function someStores(step: Raw): readonly string[] {
  const names = texts(step, 'stores') ?? []
  if (names.length === 0) throw new JavaError('TopologyException', 'stateStoreNames cannot be empty')
  return names
}

/** The low-level steps (format §5). */
const steps: { readonly [op: string]: { readonly fields: readonly string[]; readonly apply: Apply } } = {
  addSource: {
    fields: ['name', 'topics', 'keySerde', 'valueSerde', 'timestampExtractor'],
    apply: (builder, step, extractor) =>
      builder.addSource({
        name: required(text, step, 'name'),
        topics: required(texts, step, 'topics'),
        ...serdes(step),
        ...given({ timestampExtractor: timestampExtractor(step) ?? extractor }),
      }),
  },
  addProcessor: {
    fields: ['name', 'processor', 'parents', 'ownStores'],
    apply: (builder, step) =>
      builder.addProcessor({
        name: required(text, step, 'name'),
        parents: texts(step, 'parents') ?? [],
        supplier: processorSupplier(step),
      }),
  },
  addSink: {
    fields: ['name', 'topic', 'keySerde', 'valueSerde', 'parents'],
    apply: (builder, step) =>
      builder.addSink({
        name: required(text, step, 'name'),
        topic: required(text, step, 'topic'),
        parents: texts(step, 'parents') ?? [],
        ...serdes(step),
      }),
  },
  addStateStore: {
    fields: ['store', 'processors'],
    apply: (builder, step) =>
      builder.addStateStore(storeSpec(required(object, step, 'store')), ...(texts(step, 'processors') ?? [])),
  },
  connectProcessorAndStateStores: {
    fields: ['processor', 'stores'],
    apply: (builder, step) =>
      builder.connectProcessorAndStateStores(required(text, step, 'processor'), someStores(step)),
  },
}

/** Builds a scenario's topology node by node. */
export function lowLevelTopology({ config = {}, topology }: Scenario): Topology {
  const builder = new TopologyBuilder({ [javaRules]: true })
  const extractor = timestampExtractor(config)
  for (const step of topology) {
    const op = required(text, step, 'op')
    const found = Object.hasOwn(steps, op) ? steps[op] : undefined
    if (found === undefined) throw new FormatError(`unknown topology op "${op}"`)
    checkFields(step, `the step "${op}"`, ['id', 'op', ...found.fields])
    found.apply(builder, step, extractor)
  }
  return builder.build()
}
