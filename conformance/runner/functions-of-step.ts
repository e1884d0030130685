import { type Raw, required, text } from './format.ts'
import * as functions from './functions.ts'
import type { Value } from './values.ts'

/** The functions that a step names, with the arguments in the library's order. */
export const predicateOf = (step: Raw) => functions.predicate(required(text, step, 'predicate'))
export const selectorOf = (step: Raw) => functions.selector(required(text, step, 'selector'))
export const initializerOf = (step: Raw) => functions.initializer(required(text, step, 'initializer'))

export function valueMapperOf(step: Raw): (value: Value, key: Value) => Value {
  const mapper = functions.valueMapper(required(text, step, 'mapper'))
  return (value, key) => mapper(key, value)
}

export function joinerOf(step: Raw): (left: Value, right: Value, key: Value) => Value {
  const joiner = functions.joiner(required(text, step, 'joiner'))
  return (left, right, key) => joiner(key, left, right)
}

/** For joins whose joiner is not told the key: it stands there as null. */
export function keylessJoinerOf(step: Raw): (left: Value, right: Value) => Value {
  const joiner = functions.joiner(required(text, step, 'joiner'))
  return (left, right) => joiner(null, left, right)
}

export function aggregatorOf(step: Raw, field: string): (aggregate: Value, value: Value, key: Value) => Value {
  const aggregator = functions.aggregator(required(text, step, field))
  return (aggregate, value, key) => aggregator(key, value, aggregate)
}

export const reducerOf = (step: Raw, field: string) => functions.reducer(required(text, step, field))

export function mergerOf(step: Raw): (a: Value, b: Value, key: Value) => Value {
  const merger = functions.merger(required(text, step, 'merger'))
  return (a, b, key) => merger(key, a, b)
}
