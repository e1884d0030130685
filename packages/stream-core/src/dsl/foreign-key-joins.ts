import {
  foreignKeyAnswer,
  foreignKeyNotify,
  foreignKeyReceive,
  foreignKeyResolve,
  foreignKeySubscribe,
} from '../operators/foreign-key-join.ts'
import { responseSerde, type SubscriptionResponse, subscriptionSerde } from '../operators/foreign-key-wrappers.ts'
import type { ProcessorSupplier } from '../processor/processor.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { StreamPartitioner } from '../topology/node.ts'
import { behindTopic, copartitioned, erased, requiredSerde, state } from './build-context.ts'
import { GraphNode } from './graph/graph-node.ts'
import type { KTable } from './ktable.ts'
import type { StoreOptions, TableJoined } from './options.ts'
import { sourceTable } from './source-table.ts'
import { changelog, materialized } from './store-specs.ts'

type Supplier = ProcessorSupplier<unknown, unknown>

export interface ForeignKeyJoinOptions<K, V, FK, R> extends TableJoined<K, FK> {
  /** The right table's key for a row of the left one; null: it refers to none. */
  readonly foreignKey: (key: K, value: V) => FK | null
  readonly store?: StoreOptions<K, R>
}

/**
 * Two tables by a foreign key (KTableImpl#doJoinOnForeignKey): through two internal topics, a registration that travels to
 * the side of the foreign key, and a response that travels back. Names and their order are Java's (reference §5.8).
 */
export function joinOnForeignKey<K, V, FK, V2, R>(
  isLeft: boolean,
  left: KTable<K, V>,
  right: KTable<FK, V2>,
  joiner: (left: unknown, right: unknown, key: unknown) => unknown,
  options: ForeignKeyJoinOptions<K, V, FK, R>,
): KTable<K, R> {
  const [primary, foreign] = [left[state], right[state]]
  const { context } = primary
  const { names, graph } = context
  // Whether a foreign key has changed is seen by the old value.
  right.source.sendOldValues(true)
  left.source.sendOldValues(true)
  const named = (suffix: string, prefix: string): string => names.suffixed(options.name, suffix, prefix)
  const processorPrefix = 'KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR'
  const where = `the foreign-key join of "${primary.name}"`
  const serdes = () => ({
    primaryKey: requiredSerde(context, primary.key, 'key', where, 'the key serde of the left table'),
    primaryValue: requiredSerde(context, primary.value, 'value', where, 'the value serde of the left table'),
    foreignKey: requiredSerde(context, foreign.key, 'key', where, 'the key serde of the right table'),
    foreignValue: requiredSerde(context, foreign.value, 'value', where, 'the value serde of the right table'),
  })
  let made: ReturnType<typeof serdes> | null = null
  const serdesOf = (): ReturnType<typeof serdes> => (made ??= serdes())

  // 1. Beside the left table.
  const registrationPrefix = 'KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION'
  const registrationTopic = `${named('-subscription-registration', registrationPrefix)}-topic`
  const subscribeName = named('-subscription-registration-processor', registrationPrefix)
  const versioned = new Set<string>()
  const subscribe = new GraphNode(
    subscribeName,
    { kind: 'versioned-aware', useVersioned: () => void versioned.add(subscribeName) },
    (to, parents) => {
      const { foreignKey, primaryValue } = serdesOf()
      const make = foreignKeySubscribe({
        isLeft,
        foreignKeyOf: options.foreignKey as never,
        foreignKey,
        value: primaryValue,
        topic: registrationTopic,
        dropsOlder: versioned.has(subscribeName),
      })
      to.addProcessor({ name: subscribeName, parents, supplier: make })
    },
  )
  graph.add(primary.node, subscribe)

  const registrationSink = named('-subscription-registration-sink', 'KTABLE-SINK')
  const otherPartitioner = withoutValue(options.otherPartitioner)
  const sink = new GraphNode(registrationSink, { kind: 'sink' }, (to, parents) => {
    const { foreignKey, primaryKey } = serdesOf()
    const value = erased(subscriptionSerde(primaryKey))!
    to.addRepartitionTopic({ name: registrationTopic, partitions: null })
    const partitioner = otherPartitioner
    to.addSink({ name: registrationSink, parents, topic: registrationTopic, key: foreignKey, value, partitioner })
  })
  graph.add(subscribe, sink)

  // 2. Beside the right table.
  const registrationSource = named('-subscription-registration-source', 'KTABLE-SOURCE')
  const source = new GraphNode(registrationSource, { kind: 'processor' }, (to) => {
    const { foreignKey, primaryKey } = serdesOf()
    const value = erased(subscriptionSerde(primaryKey))!
    const timestampExtractor = context.defaultTimestampExtractor
    to.addSource({ name: registrationSource, topics: [registrationTopic], key: foreignKey, value, timestampExtractor })
  })
  graph.add(sink, source)
  copartitioned(foreign, { ...foreign, ...behindTopic(registrationSource) })

  const storeName = named('-subscription-store', 'KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE')
  let spec: StoreSpec | null = null
  const specOf = (): StoreSpec => {
    const { primaryKey, foreignKey } = serdesOf()
    return (spec ??= {
      kind: 'subscription',
      name: storeName,
      key: foreignKey,
      value: erased(subscriptionSerde(primaryKey))!,
      caching: false,
      inMemory: false,
      logging: changelog(true, { 'cleanup.policy': 'compact' }),
    })
  }
  const foreignSide = () => {
    const { foreignKey, primaryKey } = serdesOf()
    return { storeName, foreignKey, primaryKey, topic: registrationTopic }
  }
  const receiveName = named('-subscription-receive', processorPrefix)
  const receive = new GraphNode(receiveName, { kind: 'processor' }, (to, parents) => {
    const supplier = withStore(foreignKeyReceive(foreignSide()), specOf())
    to.addProcessor({ name: receiveName, parents, supplier })
  })
  graph.add(source, receive)

  // 3. The answer, and what is told when the right table changes.
  const foreignGetter = right.source.valueGetter()
  const answerName = named('-subscription-join-foreign', processorPrefix)
  const answer = new GraphNode(answerName, { kind: 'processor' }, (to, parents) => {
    const supplier = foreignKeyAnswer(foreignGetter) as unknown as Supplier
    to.addProcessor({ name: answerName, parents, supplier, stores: foreignGetter.storeNames })
  })
  graph.add(receive, answer)
  const notifyName = named('-foreign-join-subscription', processorPrefix)
  const notify = new GraphNode(
    notifyName,
    { kind: 'versioned-aware', useVersioned: () => void versioned.add(notifyName) },
    (to, parents) => {
      const make = foreignKeyNotify({ ...foreignSide(), dropsOlder: versioned.has(notifyName) })
      to.addProcessor({ name: notifyName, parents, supplier: withStore(make, specOf()) })
    },
  )
  graph.add(foreign.node, notify)

  // 4. Back beside the left table.
  const responseTopic = `${named('-subscription-response', 'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE')}-topic`
  const responseSink = named('-subscription-response-sink', 'KTABLE-SINK')
  const partitioner = withoutValue(options.partitioner) ?? backToItsRow
  const respond = new GraphNode(responseSink, { kind: 'sink' }, (to, parents) => {
    const { primaryKey, foreignValue } = serdesOf()
    const value = erased(responseSerde(foreignValue))!
    to.addRepartitionTopic({ name: responseTopic, partitions: null })
    to.addSink({ name: responseSink, parents, topic: responseTopic, key: primaryKey, value, partitioner })
  })
  graph.add([answer, notify], respond)
  const responseSource = named('-subscription-response-source', 'KTABLE-SOURCE')
  const response = new GraphNode(responseSource, { kind: 'processor' }, (to) => {
    const { primaryKey, foreignValue } = serdesOf()
    const value = erased(responseSerde(foreignValue))!
    const timestampExtractor = context.defaultTimestampExtractor
    to.addSource({ name: responseSource, topics: [responseTopic], key: primaryKey, value, timestampExtractor })
  })
  graph.add(respond, response)
  const sources = copartitioned(primary, { ...primary, ...behindTopic(responseSource) })

  const primaryGetter = left.source.valueGetter()
  const resolveName = named(
    '-subscription-response-resolver',
    'KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR',
  )
  const resolve = new GraphNode(resolveName, { kind: 'processor' }, (to, parents) => {
    const { primaryValue } = serdesOf()
    const topic = registrationTopic
    const make = foreignKeyResolve({ isLeft, primary: primaryGetter, value: primaryValue as never, topic, joiner })
    to.addProcessor({
      name: resolveName,
      parents,
      supplier: make,
      stores: primaryGetter.storeNames,
    })
  })
  graph.add(response, resolve)

  const resultName = named('-result', 'KTABLE-FK-JOIN-OUTPUT')
  const store = materialized(context, options.store, () => names.store('KTABLE-FK-JOIN-OUTPUT'), {
    key: primary.key,
    value: null,
  })
  const { behaviour, supplier } = sourceTable<K, R>(context, store)
  const result = new GraphNode(resultName, { kind: 'processor' }, (to, parents) =>
    to.addProcessor({ name: resultName, parents, supplier: supplier() }),
  )
  result.isOutputVersioned = store.isVersioned
  graph.add(resolve, result)
  return context.table<K, R>(
    {
      ...primary,
      name: resultName,
      node: result,
      key: primary.key,
      value: store.value,
      ...sources,
      isRepartitionRequired: false,
    },
    behaviour,
  )
}

const withStore = (supplier: Supplier, spec: StoreSpec): Supplier => Object.assign(() => supplier(), { stores: [spec] })

/** A response goes to the partition that its row came from, however the row's topic is partitioned. */
const backToItsRow: StreamPartitioner = (_key, value) =>
  (value as SubscriptionResponse<unknown> | null)?.primaryPartition ?? null

const withoutValue = <K>(partitioner: TableJoined<K, never>['partitioner']): StreamPartitioner | null =>
  partitioner === undefined ? null : (key, _value, count) => partitioner(key as K, null, count)
