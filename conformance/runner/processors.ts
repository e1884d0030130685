import type { Processor, StateStore } from 'stream-core'
import { JavaError } from './error-classes.ts'
import { checkFields, FormatError, object, type Raw, required, text, whole } from './format.ts'
import { even, failOnBoom, selector, str, valueMapper } from './functions.ts'
import type { Action, ActionType, Context } from './processor-types.ts'
import { punctuation } from './punctuations.ts'
import * as storeActions from './store-actions.ts'
import { ownStores } from './store-specs.ts'
import { add, type Value } from './values.ts'

/** What keeps the key, and may stand in processValues. */
const keepingKey: { readonly [type: string]: ActionType } = {
  forward: { fields: [], make: () => (context, record) => context.forward(record) },
  drop: { fields: [], make: () => () => {} },
  shiftTimestamp: {
    fields: ['ms'],
    make(spec) {
      const ms = required(whole, spec, 'ms')
      return (context, record) => context.forward({ ...record, timestampMs: record.timestampMs + ms })
    },
  },
  recordInfo: {
    fields: [],
    make: () => (context, record) => {
      const from = context.recordMetadata()
      const where = from === null ? '-' : `${from.topic}/${from.partition}/${from.offset}`
      context.forward({ ...record, value: `${where}@${context.currentStreamTimeMs()}` })
    },
  },
  addHeader: {
    fields: ['header', 'value'],
    make(spec) {
      const name = required(text, spec, 'header')
      const value = text(spec, 'value')
      const header = [name, value === undefined ? null : Buffer.from(value, 'utf8')] as const
      return (context, record) => context.forward({ ...record, headers: [...record.headers, header] })
    },
  },
  removeHeader: {
    fields: ['header'],
    make(spec) {
      const name = required(text, spec, 'header')
      return (context, record) =>
        context.forward({ ...record, headers: record.headers.filter((header) => header[0] !== name) })
    },
  },
  failOnBoom: {
    fields: [],
    make: () => (context, record) => {
      failOnBoom(record.value)
      context.forward(record)
    },
  },
  ...storeActions.types,
}

/** What may change the key or choose a child: for process and addProcessor only. */
const changingKey: { readonly [type: string]: ActionType } = {
  rekey: {
    fields: ['selector'],
    make(spec) {
      const select = selector(required(text, spec, 'selector'))
      return (context, record) => context.forward({ ...record, key: select(record.key, record.value) })
    },
  },
  fanOut: {
    fields: [],
    make: () => (context, record) => {
      context.forward(record)
      context.forward({ ...record, key: `${str(record.key)}2`, timestampMs: record.timestampMs + 1 })
    },
  },
  route: {
    fields: ['even', 'odd'],
    make(spec) {
      const [evenChild, oddChild] = [required(text, spec, 'even'), required(text, spec, 'odd')]
      return (context, record) => context.forward(record, even(record.value) ? evenChild : oddChild)
    },
  },
}

function actionOf(types: { readonly [type: string]: ActionType }, spec: Raw, more: readonly string[]): Action {
  const type = required(text, spec, 'type')
  const found = Object.hasOwn(types, type) ? types[type] : undefined
  if (found === undefined) throw new FormatError(`unknown processor "${type}" here`)
  // Every processor may name a store: its punctuation reads it, too.
  checkFields(spec, `the processor "${type}"`, ['type', 'store', ...found.fields, ...more])
  return found.make(spec)
}

/** For `process` and `addProcessor`. */
export function processorSupplier(step: Raw) {
  const spec = required(object, step, 'processor')
  const action = actionOf({ ...keepingKey, ...changingKey }, spec, ['punctuate'])
  const schedule = punctuation(spec)
  const make = (): Processor<Value, Value> => {
    let context: Context
    return {
      init(given) {
        context = given
        schedule?.(given)
      },
      process: (record) => action(context, record),
    }
  }
  return Object.assign(make, { stores: ownStores(step) })
}

/** For `processValues`. */
export function fixedKeyProcessorSupplier(step: Raw) {
  const action = actionOf(keepingKey, required(object, step, 'processor'), [])
  const make = (): Processor<Value, Value> => {
    let context: Context
    return { init: (given) => void (context = given), process: (record) => action(context, record) }
  }
  return Object.assign(make, { stores: ownStores(step) })
}

/** Keeps a global store equal to its topic, with an optional mapper. */
export function globalUpdateSupplier(step: Raw): () => Processor<Value, Value> {
  const spec = required(object, step, 'processor')
  checkFields(spec, 'the processor of a global store', ['type', 'store', 'mapper'])
  if (spec['type'] !== 'globalUpdate') throw new FormatError(`unknown processor ${JSON.stringify(spec['type'])} here`)
  const name = required(text, spec, 'store')
  const mapperName = text(spec, 'mapper')
  const mapper = mapperName === undefined ? (_key: Value, value: Value) => value : valueMapper(mapperName)
  return () => {
    let context: Context
    let isKnown = false
    return {
      init(given) {
        context = given
        isKnown = canBeUpdated(context, name)
      },
      process({ key, value, timestampMs }) {
        if (key === null) return
        const mapped = asItIs(() => mapper(key, value))
        if (!isKnown) throw new JavaError('NullPointerException', `there is no store "${name}"`)
        storeActions.putOrDelete(context, name, key, mapped, timestampMs)
      },
    }
  }
}

/** Java's context knows no store of another name, and says null. */
function canBeUpdated(context: Context, name: string): boolean {
  let store: StateStore
  try {
    store = context.getStateStore(name)
  } catch {
    return false
  }
  if (store.spec.kind !== 'keyValue') {
    throw new JavaError('ClassCastException', `"${name}" is no key-value store`)
  }
  return true
}

/** Nothing wraps what a global store's processor throws. */
function asItIs<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new JavaError((error as Error).name, (error as Error).message)
  }
}

/** For `transformValues` of a table. */
export function valueTransformerSupplier(step: Raw) {
  const spec = required(object, step, 'transformer')
  const type = required(text, spec, 'type')
  const supplier = { mapper: mapperTransformer, countCalls: countingTransformer }[type]
  if (supplier === undefined) throw new FormatError(`unknown transformer "${type}"`)
  return supplier(spec)
}

function mapperTransformer(spec: Raw) {
  checkFields(spec, 'the transformer "mapper"', ['type', 'mapper'])
  const transform = valueMapper(required(text, spec, 'mapper'))
  return () => ({ transform })
}

function countingTransformer(spec: Raw) {
  checkFields(spec, 'the transformer "countCalls"', ['type', 'store'])
  const name = required(text, spec, 'store')
  return () => {
    let context: Pick<Context, 'getStateStore'>
    return {
      init: (given: Pick<Context, 'getStateStore'>) => void (context = given),
      transform(key: Value, value: Value): Value {
        if (key === null) return null
        // Asked for each time, as in the recorder: a node may have no access to it.
        const store = context.getStateStore<storeActions.PlainStore>(name)
        const calls = add(storeActions.longOf(store.get(key)), 1)
        store.put(key, calls)
        return value === null ? null : `${str(value)}#${str(calls)}`
      },
    }
  }
}
