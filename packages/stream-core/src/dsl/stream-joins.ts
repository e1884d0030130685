import { ArgumentError } from '../common/errors.ts'
import { type Duration, toMs } from '../common/duration.ts'
import { streamTableJoin } from '../operators/stream-table-join.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { type BuildContext, copartitioned, erased, requiredSerde, state, type StreamState } from './build-context.ts'
import type { GlobalKTable } from './global-ktable.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KStream } from './kstream.ts'
import type { KTable } from './ktable.ts'
import { checkedName } from './names.ts'
import type { Joined, Named } from './options.ts'
import { changelog } from './store-specs.ts'

export { joinStreams } from './stream-stream-joins.ts'
export type JoinKind = 'inner' | 'left' | 'outer'
type Joiner = (left: unknown, right: unknown, key: unknown) => unknown

const joinPrefix = (kind: JoinKind): string => (kind === 'left' ? 'KSTREAM-LEFTJOIN' : 'KSTREAM-JOIN')

/** Stream with table: each record meets what the table holds, or held, for its key. */
export function joinTable<K, V, V2>(
  kind: JoinKind,
  stream: KStream<K, V>,
  table: KTable<K, V2>,
  joiner: Joiner,
  options: Joined<K, V>,
): KStream<K, unknown> {
  const from = stream.repartitionedForJoin(options.name, options.name ?? stream[state].name, options)[state]
  const other = table[state]
  const { context } = from
  const sources = copartitioned(from, other)
  const name = context.names.given(options.name, joinPrefix(kind))
  const graceMs = graceOf(context, options.grace)
  const key = erased(options.key) ?? from.key
  const value = erased(options.value) ?? from.value
  const bufferName = graceMs === null ? null : `${name}-Buffer`
  if (bufferName !== null) {
    if (other.node.isOutputVersioned === false) throw new ArgumentError('grace', notVersioned(name))
    if (options.name === undefined) noteBuffer(from, bufferName)
  }
  const getter = table.source.valueGetter()
  const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) => {
    const buffer = bufferName === null ? [] : [bufferSpec(from, bufferName, key, value, graceMs!)]
    const join = streamTableJoin({
      isLeft: kind === 'left',
      table: getter,
      mapKey: (recordKey) => recordKey,
      joiner,
      bufferName,
      refusesNullKeys: context.javaRules,
    })
    builder.addProcessor({
      name,
      parents,
      supplier: Object.assign(() => join(), { stores: buffer }) as ProcessorSupplier<unknown, unknown>,
    })
    builder.connectProcessorAndStateStores(name, getter.storeNames)
    if (graceMs === null) return
    for (const storeName of getter.storeNames) {
      const spec = builder.storeSpec(storeName)
      if (spec?.kind !== 'versioned') throw new ArgumentError('grace', notVersioned(name))
      if (graceMs <= spec.historyRetentionMs) continue
      throw new ArgumentError(
        'grace',
        `"${name}" waits ${graceMs} ms, but its table keeps only ${spec.historyRetentionMs} ms of history: keep more`,
      )
    }
  })
  node.wantsNullKeys = kind === 'left'
  context.graph.add(from.node, node)
  return context.stream({ ...from, name, node, key, value: null, ...sources, isRepartitionRequired: false })
}

/** Stream with global table: no partitions to agree on, and no time between them. */
export function joinGlobalTable<K, V, G, V2>(
  kind: JoinKind,
  stream: KStream<K, V>,
  table: GlobalKTable<G, V2>,
  joiner: Joiner,
  options: Named & { readonly mapKey: (key: unknown, value: unknown) => unknown },
): KStream<K, unknown> {
  const from = stream[state]
  const { context } = from
  // Java has one name for both.
  const name = context.names.given(options.name, 'KSTREAM-LEFTJOIN')
  const join = streamTableJoin({
    isLeft: kind === 'left',
    table: table.valueGetter(),
    mapKey: options.mapKey,
    joiner,
    bufferName: null,
    refusesNullKeys: false,
  })
  const node = new GraphNode(name, { kind: 'processor' }, (builder, parents) =>
    builder.addProcessor({ name: checkedName(name), parents, supplier: join }),
  )
  node.wantsNullKeys = kind === 'left'
  context.graph.add(from.node, node)
  return context.stream({ ...from, name, node, value: null })
}

/** Java takes a negative grace, too: nothing waits then. */
function graceOf({ javaRules }: BuildContext, grace: Duration | undefined): number | null {
  if (grace === undefined) return null
  return javaRules && typeof grace === 'number' ? grace : toMs(grace, 'the grace of a join')
}

function bufferSpec(
  { context }: StreamState,
  name: string,
  key: StreamState['key'],
  value: StreamState['value'],
  graceMs: number,
): StoreSpec {
  const where = `the buffer "${name}"`
  return {
    kind: 'graceBuffer',
    name,
    key: requiredSerde(context, key, 'key', where, 'the option key of the join'),
    value: requiredSerde(context, value, 'value', where, 'the option value of the join'),
    graceMs,
    caching: false,
    inMemory: false,
    logging: changelog(true, { 'cleanup.policy': 'compact' }),
  }
}

function noteBuffer({ context }: StreamState, bufferName: string): void {
  context.builder.noteGeneratedName({ kind: 'store', name: bufferName })
  context.builder.noteGeneratedName({ kind: 'changelog', name: `${bufferName}-changelog` })
}

const notVersioned = (name: string): string =>
  `"${name}" waits for its table, which has to be versioned for that: give the table a store with \`versioned\``
