import { murmur3Hash128 } from '../common/murmur3.ts'
import type { Headers, Record } from '../common/record.ts'
import type { Serde, SerdeContext } from '../common/serde.ts'
import type { Change, Processor } from '../processor/processor.ts'
import type { EngineContext } from '../processor/processor-context.ts'
import type { SubscriptionStore } from '../state/subscription-store.ts'
import {
  bytesOf,
  CombinedKeys,
  instruction,
  type Instruction,
  newSubscription,
  type Subscription,
  type SubscriptionResponse,
  subscriptionSerde,
} from './foreign-key-wrappers.ts'
import type { ValueGetter, ValueGetterSupplier } from './value-getter.ts'

/*
 * A table joined with another by a foreign key (KIP-213; reference §3.6):
 *
 *   left change ─ subscribe ─(registration topic, by foreign key)→ receive → answer ─(response topic, by primary key)→ resolve
 *   right change ────────────────────────────────────────────────→ notify ──────────↗
 */

export interface SubscribeOptions<K, V, FK> {
  readonly isLeft: boolean
  readonly foreignKeyOf: (key: K, value: V) => FK | null
  readonly foreignKey: Serde<FK>
  readonly value: Serde<V>
  readonly topic: string
  readonly dropsOlder: boolean
}

/** Step 1, beside the left table: tells the side of the foreign key what each row wants to hear of. */
export const foreignKeySubscribe =
  <K, V, FK>(options: SubscribeOptions<K, V, FK>) =>
  (): Processor<K, Change<V>, FK | null, Subscription<K>> => {
    const { isLeft, foreignKeyOf, foreignKey, value: valueSerde, topic, dropsOlder } = options
    let context: EngineContext<FK | null, Subscription<K>>
    const contextOf = (headers: Headers): SerdeContext => ({ topic, part: 'value', headers })
    const keyOf = (key: K, value: V | null): FK | null => (value === null ? null : (foreignKeyOf(key, value) ?? null))

    // Of the record that is processed; made when it is first sent, for a record that is not sent may have none.
    let hash: Buffer | null = null

    const send = (record: Record<K, Change<V>>, to: FK | null, what: Instruction): void => {
      const { key, timestampMs, headers } = record
      const { newValue } = record.value
      if (newValue !== null) hash ??= murmur3Hash128(bytesOf(valueSerde, newValue, contextOf(headers)))
      const subscription = newSubscription(hash, what, key, context.recordContext.partition)
      context.forward({ key: to, value: subscription, timestampMs, headers })
    }

    const differ = (a: FK | null, b: FK, headers: Headers): boolean =>
      a === null || !bytesOf(foreignKey, a, contextOf(headers)).equals(bytesOf(foreignKey, b, contextOf(headers)))

    return {
      init: (given) => void (context = given as EngineContext<FK | null, Subscription<K>>),
      process(record) {
        const { key, value: change, headers } = record
        if (dropsOlder && !change.isLatest) return context.drop('older-version')
        const { newValue, oldValue } = change
        if (isLeft && newValue === null && oldValue === null) return
        const before = keyOf(key, oldValue)
        const now = keyOf(key, newValue)
        hash = null
        if (isLeft) {
          if (before !== null && differ(now, before, headers)) {
            send(record, before, instruction.deleteAndStaySilent)
          }
          return send(record, now, instruction.propagateAlways)
        }
        if (newValue === null || now === null) {
          if (newValue !== null) context.drop('null-foreign-key')
          if (before !== null) send(record, before, instruction.deleteAndPropagate)
        } else if (before !== null && differ(now, before, headers)) {
          send(record, before, instruction.deleteAndStaySilent)
          send(record, now, instruction.propagateAlways)
        } else {
          send(record, now, instruction.propagateIfFound)
        }
      },
    }
  }

export interface ForeignSideOptions<K, FK> {
  readonly storeName: string
  readonly foreignKey: Serde<FK>
  readonly primaryKey: Serde<K>
  readonly topic: string
}

/** Step 2, beside the right table: keeps who subscribed to which foreign key. */
export const foreignKeyReceive =
  <K, FK>({ storeName, foreignKey, primaryKey, topic }: ForeignSideOptions<K, FK>) =>
  (): Processor<FK | null, Subscription<K>> => {
    let context: EngineContext<FK | null, Subscription<K>>
    let store: SubscriptionStore
    const keys = new CombinedKeys(foreignKey, primaryKey, { topic, part: 'key', headers: [] })
    const serde = subscriptionSerde(primaryKey)
    return {
      init(given) {
        context = given as EngineContext<FK | null, Subscription<K>>
        store = context.getStateStore(storeName)
      },
      process(record) {
        const { key, value: subscription, timestampMs, headers } = record
        const hasKey = key !== null && key !== undefined
        if (!hasKey && subscription.instruction !== instruction.propagateAlways) {
          return context.drop('null-foreign-key')
        }
        if (subscription.version > 1) throw new TypeError(`a subscription of version ${subscription.version} came in`)
        if (hasKey) {
          const stored = keys.stored(key, subscription.primaryKey)
          const isDeletion =
            subscription.instruction === instruction.deleteAndPropagate ||
            subscription.instruction === instruction.deleteAndStaySilent
          if (isDeletion) store.delete(stored)
          else {
            const wrapper = bytesOf(serde, subscription, { topic, part: 'value', headers })
            store.put(stored, wrapper, timestampMs, headers)
          }
        }
        context.forward(record)
      },
    }
  }

/** Step 3 a, beside the right table: answers a subscription with what the right table holds now. */
export const foreignKeyAnswer =
  <K, FK, V2>(foreign: ValueGetterSupplier<FK, V2>) =>
  (): Processor<FK | null, Subscription<K>, K, SubscriptionResponse<V2>> => {
    let context: EngineContext<K, SubscriptionResponse<V2>>
    let getter: ValueGetter<FK, V2>
    return {
      init(given) {
        context = given as EngineContext<K, SubscriptionResponse<V2>>
        getter = foreign.open(context)
      },
      process({ key, value: { hash, instruction: what, primaryKey, primaryPartition }, timestampMs, headers }) {
        const found = key === null || key === undefined ? null : getter.get(key)
        const time = found === null ? timestampMs : Math.max(timestampMs, found.timestampMs)
        if (what === instruction.deleteAndStaySilent) return
        if (what === instruction.propagateIfFound && found === null) return
        const foreignValue = what === instruction.deleteAndPropagate ? null : (found?.value ?? null)
        const value = { hash, foreignValue, version: 0, primaryPartition }
        context.forward({ key: primaryKey, value, timestampMs: time, headers })
      },
    }
  }

/** Step 3 b, beside the right table: tells every subscriber of a change. */
export const foreignKeyNotify =
  <K, FK, V2>(options: ForeignSideOptions<K, FK> & { readonly dropsOlder: boolean }) =>
  (): Processor<FK, Change<V2>, K, SubscriptionResponse<V2>> => {
    const { storeName, foreignKey, primaryKey, topic, dropsOlder } = options
    let context: EngineContext<K, SubscriptionResponse<V2>>
    let store: SubscriptionStore
    const keys = new CombinedKeys(foreignKey, primaryKey, { topic, part: 'key', headers: [] })
    const serde = subscriptionSerde(primaryKey)
    return {
      init(given) {
        context = given as EngineContext<K, SubscriptionResponse<V2>>
        store = context.getStateStore(storeName)
      },
      process({ key, value: change, timestampMs, headers }) {
        if (key === null || key === undefined) return context.drop('null-key')
        if (dropsOlder && !change.isLatest) return context.drop('older-version')
        for (const [stored, wrapper] of store.withPrefix(keys.prefix(key))) {
          const subscription = serde.read(wrapper, 0, wrapper.length, { topic, part: 'value', headers })
          const { hash, primaryPartition } = subscription
          const value = { hash, foreignValue: change.newValue, version: 0, primaryPartition }
          context.forward({ key: keys.primaryKey(stored), value, timestampMs, headers })
        }
      },
    }
  }

export interface ResolveOptions<K, V, V2, O> {
  readonly isLeft: boolean
  readonly primary: ValueGetterSupplier<K, V>
  readonly value: Serde<V>
  readonly topic: string
  readonly joiner: (left: V | null, right: V2 | null, key: K) => O
}

/** Step 4, beside the left table: joins, unless the row has changed since it asked. */
export const foreignKeyResolve =
  <K, V, V2, O>({ isLeft, primary, value: valueSerde, topic, joiner }: ResolveOptions<K, V, V2, O>) =>
  (): Processor<K, SubscriptionResponse<V2>, K, O | null> => {
    let context: EngineContext<K, O | null>
    let getter: ValueGetter<K, V>
    return {
      init(given) {
        context = given as EngineContext<K, O | null>
        getter = primary.open(context)
      },
      process({ key, value: response, timestampMs, headers }) {
        if (response.version !== 0) throw new TypeError(`a response of version ${response.version} came in`)
        const row = getter.get(key)
        const hash =
          row === null ? null : murmur3Hash128(bytesOf(valueSerde, row.value, { topic, part: 'value', headers }))
        const isCurrent = hash === null ? response.hash === null : response.hash !== null && hash.equals(response.hash)
        if (!isCurrent) return context.drop('stale-response')
        const isGone = response.foreignValue === null && (!isLeft || row === null)
        const value = isGone ? null : joiner(row?.value ?? null, response.foreignValue, key)
        context.forward({ key, value, timestampMs, headers })
      },
    }
  }
