import { copyBytes, latin1Slice } from '../common/buffer-text.ts'
import type { RecordBatchReader } from '../common/record-batch-reader.ts'
import type { BaseTable } from './base-table.ts'
import { bytesEntry, type Entry } from './entry.ts'
import type { SortedKeys } from './sorted-keys.ts'

const firstBytes = 2048
const firstRows = 32
/** Of a row's place, sizes and time. */
const bytesPerRow = 24

/**
 * Rows of a changelog on their way to the disk, in the order in which they came, as bytes one behind the other: a row costs
 * its bytes and five numbers, and no object that a garbage collector would look at. A key may come again: the last counts.
 */
export class RestoredRows implements SortedKeys {
  #bytes = Buffer.allocUnsafe(firstBytes)
  #used = 0
  #keyAt = new Uint32Array(firstRows)
  #valueAt = new Uint32Array(firstRows)
  /** −1: a deletion. */
  #valueBytes = new Int32Array(firstRows)
  #timestampsMs = new Float64Array(firstRows)
  #keyBytes = new Uint32Array(firstRows)
  length = 0

  /** What all rows take in memory. */
  get byteLength(): number {
    return this.#used + this.length * bytesPerRow
  }

  /** Takes the record that was just read; its key must not be null. */
  add(record: RecordBatchReader): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = record
    const row = this.length++
    if (row === this.#keyAt.length) this.#makeRoom()
    // A record's value follows its key, with a length between them: one copy takes both.
    const end = valueStart < 0 ? keyEnd : valueEnd
    const at = this.#reserve(end - keyStart)
    copyBytes(bytes, keyStart, end, this.#bytes, at)
    this.#keyAt[row] = at
    this.#keyBytes[row] = keyEnd - keyStart
    this.#valueAt[row] = valueStart < 0 ? at : at + valueStart - keyStart
    this.#valueBytes[row] = valueStart < 0 ? -1 : valueEnd - valueStart
    this.#timestampsMs[row] = record.timestampMs
  }

  key(row: number): string {
    const at = this.#keyAt[row]!
    return latin1Slice(this.#bytes, at, at + this.#keyBytes[row]!)
  }

  /** It deletes its key. */
  isDeletion(row: number): boolean {
    return this.#valueBytes[row]! < 0
  }

  /** Puts a row that is no deletion. */
  put(row: number, key: string, base: BaseTable): void {
    const at = this.#valueAt[row]!
    base.putPart(key, this.#timestampsMs[row]!, this.#bytes, at, at + this.#valueBytes[row]!)
  }

  /** In the order in which they came, each with bytes of its own. */
  *entries(): Generator<[string, Entry]> {
    for (let row = 0; row < this.length; row++) {
      const at = this.#valueAt[row]!
      const value = this.isDeletion(row) ? null : Buffer.from(this.#bytes.subarray(at, at + this.#valueBytes[row]!))
      yield [this.key(row), bytesEntry(value, this.#timestampsMs[row]!)]
    }
  }

  keyLength(row: number): number {
    return this.#keyBytes[row]!
  }

  keyByte(row: number, at: number): number {
    return this.#bytes[this.#keyAt[row]! + at]!
  }

  compareKeys(one: number, two: number): number {
    const [oneAt, twoAt] = [this.#keyAt[one]!, this.#keyAt[two]!]
    const [oneEnd, twoEnd] = [oneAt + this.#keyBytes[one]!, twoAt + this.#keyBytes[two]!]
    return this.#bytes.compare(this.#bytes, twoAt, twoEnd, oneAt, oneEnd)
  }

  #reserve(bytes: number): number {
    const at = this.#used
    this.#used += bytes
    if (this.#used > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#used, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    return at
  }

  #makeRoom(): void {
    const rows = this.#keyAt.length * 2
    const grown = <T extends Uint32Array | Int32Array | Float64Array>(larger: T, smaller: T): T => {
      larger.set(smaller)
      return larger
    }
    this.#keyAt = grown(new Uint32Array(rows), this.#keyAt)
    this.#keyBytes = grown(new Uint32Array(rows), this.#keyBytes)
    this.#valueAt = grown(new Uint32Array(rows), this.#valueAt)
    this.#valueBytes = grown(new Int32Array(rows), this.#valueBytes)
    this.#timestampsMs = grown(new Float64Array(rows), this.#timestampsMs)
  }
}
