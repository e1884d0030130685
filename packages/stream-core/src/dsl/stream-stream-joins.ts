import { ArgumentError, TopologyError } from '../common/errors.ts'
import { joinWindow } from '../operators/join-window.ts'
import { pass } from '../operators/pass.ts'
import { streamSelfJoin } from '../operators/stream-self-join.ts'
import { streamStreamJoin } from '../operators/stream-stream-join.ts'
import type { JoinWindows } from '../operators/windows.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { type BuildContext, copartitioned, erased, requiredSerde, state, type StreamState } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KStream } from './kstream.ts'
import type { JoinStore, StreamJoined } from './options.ts'
import { atLeastNow, changelog, expiringChangelog } from './store-specs.ts'

type Joiner = (left: unknown, right: unknown, key: unknown) => unknown
type Options = StreamJoined<unknown, unknown, unknown> & { readonly windows: JoinWindows }
type Supplier = ProcessorSupplier<unknown, unknown>

/** Two streams within windows (KStreamImplJoin): each side keeps its records for the other; names are Java's. */
export function joinStreams<K, V, V2>(
  kind: 'inner' | 'left' | 'outer',
  left: KStream<K, V>,
  right: KStream<K, V2>,
  joiner: Joiner,
  options: Options,
): KStream<K, unknown> {
  const { name: given, windows } = options
  const side = (stream: KStream<K, unknown>, suffix: string, value: Options['value']): KStream<K, unknown> => {
    const topic = given === undefined ? stream[state].name : `${given}${suffix}`
    return stream.repartitionedForJoin(given, topic, { key: options.key as never, value: value as never })
  }
  const one = side(left as KStream<K, unknown>, '-left', options.value)[state]
  const two = side(right as KStream<K, unknown>, '-right', options.otherValue)[state]
  const { context } = one
  const { names, graph } = context
  const sources = copartitioned(one, two)
  const [isLeftOuter, isRightOuter] = [kind !== 'inner', kind === 'outer']

  const thisSuffix = isRightOuter ? '-outer-this-join' : '-this-join'
  const otherSuffix = isLeftOuter ? '-outer-other-join' : '-other-join'
  const thisWindow = names.suffixed(given, '-this-windowed', 'KSTREAM-WINDOWED')
  const otherWindow = names.suffixed(given, '-other-windowed', 'KSTREAM-WINDOWED')
  const thisGenerated = names.node(isRightOuter ? 'KSTREAM-OUTERTHIS' : 'KSTREAM-JOINTHIS')
  const otherGenerated = names.node(isLeftOuter ? 'KSTREAM-OUTEROTHER' : 'KSTREAM-JOINOTHER')
  const thisJoin = given === undefined ? thisGenerated : given + thisSuffix
  const otherJoin = given === undefined ? otherGenerated : given + otherSuffix
  const merge = names.suffixed(given, '-merge', 'KSTREAM-MERGE')

  const { thisStore, otherStore, storeName } = options
  checkStores(thisStore, otherStore, windows)
  const thisName = thisStore?.name ?? `${storeName === undefined ? thisGenerated : storeName + thisSuffix}-store`
  const otherName = otherStore?.name ?? `${storeName === undefined ? otherGenerated : storeName + otherSuffix}-store`
  const outerName = isLeftOuter ? `${outerBase(options, isRightOuter, thisGenerated)}-store` : null
  if (storeName === undefined) {
    for (const name of [thisName, otherName, outerName]) if (name !== null) noteStore(context, name, options)
  }

  const key = erased(options.key) ?? one.key
  // Java's stores of a join take nothing from the streams.
  const inherited = (stream: StreamState): Inherited => (context.inheritsSerdes ? stream : { key: null, value: null })
  const keptKey = erased(options.key) ?? inherited(one).key
  const thisValue = erased(options.value) ?? inherited(one).value
  const otherValue = erased(options.otherValue) ?? inherited(two).value
  let specs: JoinSpecs | null = null
  // Made once, when the first node is written: both sides share them.
  const specsOf = (): JoinSpecs =>
    (specs ??= joinSpecs(context, options, { key: keptKey, thisValue, otherValue, thisName, otherName, outerName }))

  addWindow(context, one.node, thisWindow, () => specsOf().thisSpec)
  addWindow(context, two.node, otherWindow, () => specsOf().otherSpec)

  const sideOptions = { windows, joiner, outerStoreName: outerName, sharedName: merge }
  const details = {
    kind: 'stream-join',
    thisWindowName: thisWindow,
    otherWindowName: otherWindow,
    isSelfJoin: false,
  } as const
  const node: GraphNode = new GraphNode(merge, { ...details }, (builder) => {
    const { thisSpec, otherSpec, outerSpec } = specsOf()
    if (node.details.kind === 'stream-join' && node.details.isSelfJoin) {
      const self = streamSelfJoin({ storeName: thisSpec.name, windows, joiner })
      builder.addProcessor({ name: merge, parents: [thisWindow], supplier: withStores(self, [thisSpec]) })
      return
    }
    const outer = outerSpec === null ? [] : [outerSpec]
    const leftSide = streamStreamJoin({
      ...sideOptions,
      isLeft: true,
      isOuter: isLeftOuter,
      otherStoreName: otherSpec.name,
    })
    const rightSide = streamStreamJoin({
      ...sideOptions,
      isLeft: false,
      isOuter: isRightOuter,
      otherStoreName: thisSpec.name,
    })
    const leftSupplier = withStores(leftSide, [otherSpec, ...outer])
    const rightSupplier = withStores(rightSide, [thisSpec, ...outer])
    builder.addProcessor({ name: thisJoin, parents: [thisWindow], supplier: leftSupplier })
    builder.addProcessor({ name: otherJoin, parents: [otherWindow], supplier: rightSupplier })
    builder.addProcessor({ name: merge, parents: [thisJoin, otherJoin], supplier: pass() })
  })
  node.wantsNullKeys = isLeftOuter
  graph.add([one.node, two.node], node)
  return context.stream({ ...one, name: merge, node, key, value: null, ...sources, isRepartitionRequired: false })
}

type Inherited = Pick<StreamState, 'key' | 'value'>

interface JoinSpecs {
  readonly thisSpec: StoreSpec
  readonly otherSpec: StoreSpec
  readonly outerSpec: StoreSpec | null
}

interface JoinParts {
  readonly key: Parameters<typeof requiredSerde>[1]
  readonly thisValue: Parameters<typeof requiredSerde>[1]
  readonly otherValue: Parameters<typeof requiredSerde>[1]
  readonly thisName: string
  readonly otherName: string
  readonly outerName: string | null
}

function joinSpecs(context: BuildContext, options: Options, parts: JoinParts): JoinSpecs {
  const { windows, logging, type = context.defaultStoreType } = options
  const windowSizeMs = windows.beforeMs + windows.afterMs
  const retentionMs = atLeastNow(context, windowSizeMs + windows.graceMs)
  const where = `the join with the store "${parts.thisName}"`
  const key = requiredSerde(context, parts.key, 'key', where, 'the option key of the join')
  const value = requiredSerde(context, parts.thisValue, 'value', where, 'the option value of the join')
  const otherValue = requiredSerde(context, parts.otherValue, 'value', where, 'the option otherValue of the join')
  const inMemory = type === 'in-memory'
  const window = {
    kind: 'window',
    key,
    timestamped: false,
    windowSizeMs,
    retentionMs,
    retainDuplicates: true,
    logsHeaders: true,
    emitFinal: false,
    caching: false,
    logging: changelog(logging, expiringChangelog(retentionMs, 'delete')),
  } as const
  const given = (store: JoinStore | undefined) =>
    store && {
      inMemory: store.type === 'in-memory',
      // As in Java (KStreamImplJoin#joinWindowStoreBuilderFromSupplier): `logging` says nothing about stores that are given.
      logging: changelog(true, expiringChangelog(retentionMs, 'delete')),
    }
  return {
    thisSpec: { ...window, inMemory, ...given(options.thisStore), name: parts.thisName, value },
    otherSpec: { ...window, inMemory, ...given(options.otherStore), name: parts.otherName, value: otherValue },
    outerSpec:
      parts.outerName === null
        ? null
        : {
            kind: 'outerJoin',
            name: parts.outerName,
            key,
            value,
            otherValue,
            caching: false,
            inMemory,
            logging: changelog(logging, { 'cleanup.policy': 'compact' }),
          },
  }
}

function addWindow(context: BuildContext, parent: GraphNode, name: string, spec: () => StoreSpec): void {
  const node = new GraphNode(name, { kind: 'join-window' }, (builder, parents) => {
    const store = spec()
    builder.addProcessor({ name, parents, supplier: withStores(joinWindow(store.name) as Supplier, [store]) })
  })
  context.graph.add(parent, node)
}

const withStores = (supplier: Supplier, stores: readonly StoreSpec[]): Supplier =>
  Object.assign(() => supplier(), { stores })

function outerBase({ thisStore, storeName }: Options, isRightOuter: boolean, thisGenerated: string): string {
  const suffix = isRightOuter ? '-outer-shared-join' : '-left-shared-join'
  if (thisStore !== undefined) return thisStore.name + suffix
  if (storeName !== undefined) return storeName + suffix
  return `KSTREAM-OUTERSHARED-${thisGenerated.slice(thisGenerated.lastIndexOf('-') + 1)}`
}

function noteStore(context: BuildContext, name: string, { logging }: Options): void {
  context.builder.noteGeneratedName({ kind: 'store', name })
  if (logging !== false) context.builder.noteGeneratedName({ kind: 'changelog', name: `${name}-changelog` })
}

/** A store that the user supplies has to be what the join would have made. */
function checkStores(one: JoinStore | undefined, two: JoinStore | undefined, windows: JoinWindows): void {
  const fail = (message: string): never => {
    throw new TopologyError(message, [], 'INCOMPATIBLE_STORE')
  }
  if (one !== undefined && two !== undefined && one.name === two.name) {
    fail(`both stores of a join are named "${one.name}": give them different names`)
  }
  const windowSizeMs = windows.beforeMs + windows.afterMs
  for (const store of [one, two]) {
    if (store === undefined) continue
    if (store.windowSizeMs > store.retentionMs) {
      throw new ArgumentError(
        'retentionMs',
        `"${store.name}" keeps ${store.retentionMs} ms, less than its windows of ${store.windowSizeMs} ms`,
      )
    }
    if (store.retainDuplicates === false) fail(`the join store "${store.name}" has to retain duplicates`)
    if (store.windowSizeMs !== windowSizeMs || store.retentionMs !== windowSizeMs + windows.graceMs) {
      fail(
        `the join store "${store.name}" has a window of ${store.windowSizeMs} ms and keeps ${store.retentionMs} ms; ` +
          `the join needs ${windowSizeMs} and ${windowSizeMs + windows.graceMs}`,
      )
    }
  }
}
