import type { ByteWriter } from '../byte-writer.ts'
import { float32, float64 } from './floats.ts'
import { int16, int32, int64, int64Big } from './integers.ts'
import { wrongType } from './refusal.ts'
import type { Serde, SerdeContext } from './serde.ts'
import { uuid } from './uuid.ts'

export interface ListOptions<Nullable extends boolean = boolean> {
  /** Elements may be null. Without it a null element is refused in both directions, and the type has none. */
  readonly nullable?: Nullable
}

/**
 * A list: Kafka Streams' ListSerde, with its two layouts (all integers are int32, big-endian).
 *
 * - Elements of int16, int32, int64, int64Big, float32, float64 and uuid, whose size is known:
 *   `00 ‖ number of nulls ‖ index of each null ‖ number of elements ‖ elements that are not null`.
 * - Elements of any other serde: `01 ‖ number of elements ‖ (length or −1 for null ‖ element)…`.
 *
 * The first byte alone decides how a list is read, so a list of numbers in the second layout is read too. Java's
 * ListDeserializer cannot read a list of the second layout whose last element is empty (an empty string, say); this one
 * can.
 *
 * Writing throws a TypeError for what is no array; an element's error is thrown again with its index. Reading throws a
 * RangeError for bytes that do not add up: a cut list, bytes left over, null indexes that do not ascend. An element's size
 * is compared with what is left before anything is allocated.
 */
export function list<T, Nullable extends boolean = false>(
  inner: Serde<T>,
  options: ListOptions<Nullable> = {},
): Serde<(Nullable extends true ? T | null : T)[]> {
  const layout: ListLayout = {
    name: `list(${inner.name})`,
    inner,
    elementBytes: elementBytes.get(inner),
    nullable: options.nullable === true,
  }
  const serde: Serde<unknown[]> = {
    name: layout.name,
    write(value, out, context) {
      if (!Array.isArray(value)) throw wrongType(layout.name, 'an array', value)
      const start = out.length
      try {
        if (layout.elementBytes === undefined) writeVariable(layout, value, out, context)
        else writeConstant(layout, value, out, context)
      } catch (error) {
        out.truncate(start)
        throw error
      }
    },
    read(source, start, end, context) {
      if (start === end) throw new RangeError(`${layout.name} needs at least 5 bytes, got 0`)
      const flag = source[start]!
      if (flag === constantSize) return readConstant(layout, source, start + 1, end, context)
      if (flag === variableSize) return readVariable(layout, source, start + 1, end, context)
      throw new RangeError(`${layout.name} begins with the byte 0 or 1, got ${flag}`)
    },
  }
  return serde as Serde<(Nullable extends true ? T | null : T)[]>
}

/** The ordinals of ListSerde.SerializationStrategy. */
const constantSize = 0
const variableSize = 1
const nullLength = -1

/** ListSerializer decides by the inner serde, not by a size it could have: other serdes of one size are not in it. */
const elementBytes: ReadonlyMap<Serde<unknown>, number> = new Map<Serde<unknown>, number>([
  [int16(), 2],
  [int32(), 4],
  [int64(), 8],
  [int64Big(), 8],
  [float32(), 4],
  [float64(), 8],
  [uuid(), 36],
])

interface ListLayout {
  readonly name: string
  readonly inner: Serde<unknown>
  /** Undefined where elements have sizes of their own. */
  readonly elementBytes: number | undefined
  readonly nullable: boolean
}

function writeConstant(layout: ListLayout, value: readonly unknown[], out: ByteWriter, context: SerdeContext): void {
  out.writeUint8(constantSize)
  const nullCountAt = out.reserve(4)
  let nullCount = 0
  for (let i = 0; i < value.length; i++) {
    if (value[i] !== null) continue
    if (!layout.nullable) throw new TypeError(nullRefused(layout, i))
    out.writeInt32(i)
    nullCount++
  }
  out.bytes.writeInt32BE(nullCount, nullCountAt)
  out.writeInt32(value.length)
  for (let i = 0; i < value.length; i++) {
    if (value[i] !== null) writeElement(layout, value[i], i, out, context)
  }
}

function writeVariable(layout: ListLayout, value: readonly unknown[], out: ByteWriter, context: SerdeContext): void {
  out.writeUint8(variableSize)
  out.writeInt32(value.length)
  for (let i = 0; i < value.length; i++) {
    if (value[i] === null) {
      if (!layout.nullable) throw new TypeError(nullRefused(layout, i))
      out.writeInt32(nullLength)
    } else {
      const lengthAt = out.reserve(4)
      writeElement(layout, value[i], i, out, context)
      out.bytes.writeInt32BE(out.length - lengthAt - 4, lengthAt)
    }
  }
}

function writeElement(layout: ListLayout, element: unknown, i: number, out: ByteWriter, context: SerdeContext): void {
  try {
    layout.inner.write(element, out, context)
  } catch (error) {
    throw ofElement(layout, i, error)
  }
}

function readConstant(
  layout: ListLayout,
  source: Buffer,
  start: number,
  end: number,
  context: SerdeContext,
): unknown[] {
  const { name, inner, elementBytes: size } = layout
  if (size === undefined) {
    throw new RangeError(`${name} got a list of elements of one size (it begins with 0), and ${inner.name} has none`)
  }
  const nullCount = readCount(name, source, start, end)
  if (nullCount * 4 > end - start - 4) throw new RangeError(`${name} is cut off within its ${nullCount} null indexes`)
  const countAt = start + 4 + nullCount * 4
  const count = readCount(name, source, countAt, end)
  let at = countAt + 4
  if ((count - nullCount) * size !== end - at) {
    throw new RangeError(
      `${name} of ${count} elements, ${nullCount} of them null, has ${end - at} bytes for the others`,
    )
  }
  checkNullIndexes(layout, source, start + 4, countAt, count)
  let nullAt = start + 4
  const value: unknown[] = []
  for (let i = 0; i < count; i++) {
    if (nullAt < countAt && source.readInt32BE(nullAt) === i) {
      nullAt += 4
      value.push(null)
    } else {
      value.push(readElement(layout, i, source, at, at + size, context))
      at += size
    }
  }
  return value
}

/** Ascending and within the list, as Java writes them: what is left over is then exactly the other elements. */
function checkNullIndexes(layout: ListLayout, source: Buffer, start: number, end: number, count: number): void {
  let previous = -1
  for (let at = start; at < end; at += 4) {
    const index = source.readInt32BE(at)
    if (index <= previous || index >= count) {
      throw new RangeError(`${layout.name} of ${count} elements has the null index ${index} after ${previous}`)
    }
    if (!layout.nullable) throw new RangeError(nullRefused(layout, index))
    previous = index
  }
}

function readVariable(
  layout: ListLayout,
  source: Buffer,
  start: number,
  end: number,
  context: SerdeContext,
): unknown[] {
  const { name } = layout
  const count = readCount(name, source, start, end)
  let at = start + 4
  if (count * 4 > end - at) throw new RangeError(`${name} of ${count} elements has only ${end - at} bytes for them`)
  const value: unknown[] = []
  for (let i = 0; i < count; i++) {
    if (end - at < 4) throw new RangeError(`${name} is cut off before element ${i} of ${count}`)
    const length = source.readInt32BE(at)
    at += 4
    if (length === nullLength) {
      if (!layout.nullable) throw new RangeError(nullRefused(layout, i))
      value.push(null)
      continue
    }
    if (length < 0 || length > end - at) {
      throw new RangeError(`element ${i} of ${name} says it has ${length} bytes, and ${end - at} are left`)
    }
    value.push(readElement(layout, i, source, at, at + length, context))
    at += length
  }
  if (at !== end) throw new RangeError(`${name} has ${end - at} bytes left over after its ${count} elements`)
  return value
}

function readElement(
  layout: ListLayout,
  i: number,
  source: Buffer,
  start: number,
  end: number,
  context: SerdeContext,
): unknown {
  try {
    return layout.inner.read(source, start, end, context)
  } catch (error) {
    throw ofElement(layout, i, error)
  }
}

function readCount(name: string, source: Buffer, at: number, end: number): number {
  if (end - at < 4) throw new RangeError(`${name} is cut off within a count`)
  const count = source.readInt32BE(at)
  if (count < 0) throw new RangeError(`${name} has a negative count, ${count}`)
  return count
}

const nullRefused = ({ name, inner }: ListLayout, i: number): string =>
  `element ${i} of ${name} is null: list(${inner.name}, { nullable: true }) takes those`

function ofElement({ name }: ListLayout, i: number, error: unknown): Error {
  const message = `element ${i} of ${name}: ${error instanceof Error ? error.message : String(error)}`
  return error instanceof TypeError
    ? new TypeError(message, { cause: error })
    : new RangeError(message, { cause: error })
}
