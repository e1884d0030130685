import { bytes, float64, int32, type Serde, sessionWindowed, string, timeWindowed, type Windowed } from 'stream-core'
import { CastError } from '../../packages/stream-core/src/common/cast-error.ts'
import { checkFields, FormatError, isObject, type Json, type Raw, required } from './format.ts'
import { limit } from './long-limits.ts'
import { missingSerde } from './store-serdes.ts'
import { isDouble, isInteger, long, type Value } from './values.ts'

/** The serde that a scenario names, of the library's where the runner's values allow. */
export function serdeOf(spec: Json): Serde<Value> {
  const missing = missingSerde(spec)
  if (missing !== undefined) return missing
  switch (spec) {
    case 'string':
      return string()
    case 'long':
      return longSerde
    case 'integer':
      return integerSerde
    case 'double':
      return doubleSerde
    case 'bytes':
      return bytes()
  }
  if (isObject(spec)) {
    if (spec['timeWindowed'] !== undefined) {
      checkFields(spec, 'a serde', ['timeWindowed', 'sizeMs'])
      return timeWindowedOf(serdeOf(spec['timeWindowed']), required(limit, spec, 'sizeMs'))
    }
    if (spec['sessionWindowed'] !== undefined) {
      checkFields(spec, 'a serde', ['sessionWindowed'])
      return sessionWindowed(serdeOf(spec['sessionWindowed'])) as Serde<Value>
    }
  }
  throw new FormatError(`unknown serde ${JSON.stringify(spec)}`)
}

/** Sizes that are none: Java takes a negative end for one that has overflown, and refuses the others. */
function timeWindowedOf(inner: Serde<Value>, sizeMs: number): Serde<Windowed<Value>> {
  const made = timeWindowed(inner, sizeMs)
  if (sizeMs > 0) return made
  return {
    ...made,
    read(source, start, end, context) {
      const { key, window } = made.read(source, start, end, context)
      if (window.end >= 0) throw new RangeError('Window endMs must be greater than window startMs.')
      return { key, window: { start: window.start, end: Infinity } }
    },
  }
}

/** The serde in a field, or undefined if it is left out. */
export function serde(raw: Raw, field: string): Serde<Value> | undefined {
  const spec = raw[field] ?? null
  return spec === null ? undefined : serdeOf(spec)
}

/** All 64 bits: the library has a serde for numbers and one for bigints, a scenario's longs are both. */
const longSerde: Serde<Value> = {
  name: 'int64',
  immutable: true,
  check: checkLong,
  write(value, out) {
    checkLong(value)
    const bits = BigInt(value)
    const at = out.reserve(8)
    out.bytes.writeBigInt64BE(bits, at)
  },
  read(source, start, end) {
    if (end - start !== 8) throw new RangeError(`a long has 8 bytes, not ${end - start}`)
    return long(source.readBigInt64BE(start))
  },
}

function checkLong(value: unknown): asserts value is number | bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new CastError('a long serde needs a long')
}

const integerSerde = ofObjects(int32(), isInteger, 'integer', {
  numberOf: ({ integer }) => integer,
  valueOf: (integer) => ({ integer }),
})

const doubleSerde = ofObjects(float64(), isDouble, 'double', {
  numberOf: ({ double }) => double,
  valueOf: (double) => ({ double }),
})

/** The library's serde of a number, for numbers that are objects here. */
function ofObjects<T extends Value>(
  inner: Serde<number>,
  is: (value: Value) => value is T,
  what: string,
  { numberOf, valueOf }: { readonly numberOf: (value: T) => number; readonly valueOf: (number: number) => T },
): Serde<Value> {
  const checked = (value: unknown): T => {
    if (is(value as Value)) return value as T
    throw new CastError(`a serde of the type ${what} needs a value of it`)
  }
  return {
    name: inner.name,
    immutable: true,
    check: (value) => void checked(value),
    write: (value, out, context) => inner.write(numberOf(checked(value)), out, context),
    read: (source, start, end, context) => valueOf(inner.read(source, start, end, context)),
  }
}
