import { ByteWriter } from '../common/byte-writer.ts'
import type { Serde, SerdeContext } from '../common/serde.ts'

/** What the side of the foreign key is to do with a subscription. The numbers are on the wire. */
export const instruction = {
  deleteAndStaySilent: 0,
  deleteAndPropagate: 1,
  propagateAlways: 2,
  propagateIfFound: 3,
} as const
export type Instruction = (typeof instruction)[keyof typeof instruction]

/** A row of the left table says which foreign key it wants to hear of. */
export interface Subscription<K> {
  /** Of the row's value, in sixteen bytes; null for a deletion. A response is stale if the row's hash has changed. */
  readonly hash: Buffer | null
  readonly instruction: Instruction
  readonly primaryKey: K
  readonly version: number
  /** Partition of the left row, where the response has to go; null in wrappers of version 0. */
  readonly primaryPartition: number | null
}

/** What the side of the foreign key answers. */
export interface SubscriptionResponse<V> {
  readonly hash: Buffer | null
  readonly foreignValue: V | null
  readonly version: number
  /** Not on the wire: where to send it. */
  readonly primaryPartition: number | null
}

const currentVersion = 1
const hashIsNull = 0x80

/** `(hash null ? 80 : 00 | version) ‖ instruction ‖ [hash(16)] ‖ primary key ‖ partition(4)` (reference §6.2). */
export const subscriptionSerde = <K>(primaryKey: Serde<K>): Serde<Subscription<K>> => ({
  name: `fk-subscription(${primaryKey.name})`,
  write({ hash, instruction: what, primaryKey: key, version, primaryPartition }, out, context) {
    out.writeUint8(version | (hash === null ? hashIsNull : 0))
    out.writeUint8(what)
    if (hash !== null) out.writeBytes(hash)
    primaryKey.write(key, out, context)
    if (version > 0) out.writeInt32(primaryPartition ?? -1)
  },
  read(bytes, start, end, context) {
    const version = bytes[start]! & ~hashIsNull
    const hasHash = (bytes[start]! & hashIsNull) === 0
    const keyStart = start + 2 + (hasHash ? 16 : 0)
    const keyEnd = version > 0 ? end - 4 : end
    return {
      hash: hasHash ? Buffer.from(bytes.subarray(start + 2, start + 18)) : null,
      instruction: bytes[start + 1] as Instruction,
      primaryKey: primaryKey.read(bytes, keyStart, keyEnd, context),
      version,
      primaryPartition: version > 0 ? bytes.readInt32BE(keyEnd) : null,
    }
  },
})

export const newSubscription = <K>(
  hash: Buffer | null,
  what: Instruction,
  primaryKey: K,
  primaryPartition: number,
): Subscription<K> => ({ hash, instruction: what, primaryKey, version: currentVersion, primaryPartition })

/** `(hash null ? 80 : 00 | version) ‖ [hash(16)] ‖ foreign value`, the value absent for null (reference §6.2). */
export const responseSerde = <V>(foreignValue: Serde<V>): Serde<SubscriptionResponse<V>> => ({
  name: `fk-response(${foreignValue.name})`,
  write({ hash, foreignValue: value, version }, out, context) {
    out.writeUint8(version | (hash === null ? hashIsNull : 0))
    if (hash !== null) out.writeBytes(hash)
    if (value !== null) foreignValue.write(value, out, context)
  },
  read(bytes, start, end, context) {
    const hasHash = (bytes[start]! & hashIsNull) === 0
    const valueStart = start + 1 + (hasHash ? 16 : 0)
    return {
      hash: hasHash ? Buffer.from(bytes.subarray(start + 1, start + 17)) : null,
      foreignValue: valueStart < end ? foreignValue.read(bytes, valueStart, end, context) : null,
      version: bytes[start]! & ~hashIsNull,
      primaryPartition: null,
    }
  },
})

const scratch = new ByteWriter(256)

/** The key under which a subscription is kept: `length(fk)(4) ‖ fk ‖ pk`. */
export class CombinedKeys<FK, K> {
  readonly #foreign: Serde<FK>
  readonly #primary: Serde<K>
  readonly #context: SerdeContext

  constructor(foreign: Serde<FK>, primary: Serde<K>, context: SerdeContext) {
    this.#foreign = foreign
    this.#primary = primary
    this.#context = context
  }

  stored(foreignKey: FK, primaryKey: K): string {
    this.#writePrefix(foreignKey)
    this.#primary.write(primaryKey, scratch, this.#context)
    return scratch.toLatin1()
  }

  prefix(foreignKey: FK): string {
    this.#writePrefix(foreignKey)
    return scratch.toLatin1()
  }

  primaryKey(stored: string): K {
    const bytes = Buffer.from(stored, 'latin1')
    return this.#primary.read(bytes, 4 + bytes.readInt32BE(0), bytes.length, this.#context)
  }

  #writePrefix(foreignKey: FK): void {
    scratch.reset()
    const at = scratch.reserve(4)
    this.#foreign.write(foreignKey, scratch, this.#context)
    scratch.bytes.writeInt32BE(scratch.length - 4, at)
  }
}

/** A value's bytes, to be hashed or compared. */
export function bytesOf<T>(serde: Serde<T>, value: T, context: SerdeContext): Buffer {
  scratch.reset()
  serde.write(value, scratch, context)
  return scratch.toBuffer()
}
