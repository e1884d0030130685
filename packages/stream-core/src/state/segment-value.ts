/** One version of a key within a segment; null bytes: there was no value. */
export interface SegmentVersion {
  readonly index: number
  readonly bytes: Buffer | null
  readonly validFromMs: number
  readonly validToMs: number
}

interface Version {
  fromMs: number
  bytes: Buffer | null
}

/**
 * The versions of one key that ended within one slice of time, newest first, without gaps: each holds until the next
 * begins, the newest until `nextMs` (RocksDBVersionedStoreSegmentValueFormatter). A degenerate one, with `nextMs` equal to
 * `minMs`, stands for a deletion before which nothing is known.
 *
 * Bytes: next(8) ‖ [from(8) ‖ length(4), −1 for none ‖ value]… newest first, big-endian. Local only.
 */
export class SegmentValue {
  nextMs: number
  readonly #versions: Version[]

  private constructor(nextMs: number, versions: Version[]) {
    this.nextMs = nextMs
    this.#versions = versions
  }

  static of(bytes: Buffer | null, validFromMs: number, validToMs: number): SegmentValue {
    return new SegmentValue(validToMs, [{ fromMs: validFromMs, bytes }])
  }

  static parse(source: Buffer): SegmentValue {
    const versions: Version[] = []
    for (let at = 8; at < source.length;) {
      const fromMs = Number(source.readBigInt64BE(at))
      const length = source.readInt32BE(at + 8)
      at += 12
      versions.push({ fromMs, bytes: length < 0 ? null : source.subarray(at, at + length) })
      at += Math.max(0, length)
    }
    return new SegmentValue(Number(source.readBigInt64BE(0)), versions)
  }

  /** When the oldest version began. */
  get minMs(): number {
    return this.#versions[this.#versions.length - 1]!.fromMs
  }

  get #isDegenerate(): boolean {
    return this.nextMs === this.minMs
  }

  /** The version that held at a time between `minMs` and `nextMs`. */
  find(timeMs: number): SegmentVersion {
    const index = this.#versions.findIndex(({ fromMs }) => fromMs <= timeMs)
    return this.#at(index)
  }

  /** All versions, oldest first. */
  versions(): readonly SegmentVersion[] {
    return this.#versions.map((_version, index) => this.#at(index)).reverse()
  }

  update(index: number, fromMs: number, bytes: Buffer | null): void {
    this.#versions[index] = { fromMs, bytes }
  }

  insert(index: number, fromMs: number, bytes: Buffer | null): void {
    this.#versions.splice(index, 0, { fromMs, bytes })
  }

  insertAsLatest(validFromMs: number, validToMs: number, bytes: Buffer | null): void {
    // A version that begins before the newest one here replaces what lies behind its beginning.
    if (validFromMs < this.nextMs) this.#truncate(validFromMs)
    if (this.nextMs === validFromMs) {
      if (this.#isDegenerate) this.#versions.length = 0
      this.#versions.unshift({ fromMs: validFromMs, bytes })
    } else {
      if (this.#isDegenerate) this.#versions.length = 0
      // Nothing is known of the time between: there was no value.
      this.#versions.unshift({ fromMs: this.nextMs, bytes: null })
      this.#versions.unshift({ fromMs: validFromMs, bytes })
    }
    this.nextMs = validToMs
  }

  insertAsEarliest(fromMs: number, bytes: Buffer | null): void {
    if (this.#isDegenerate) this.#versions.length = 0
    this.#versions.push({ fromMs, bytes })
  }

  serialise(): Buffer {
    const size = this.#versions.reduce((sum, { bytes }) => sum + 12 + (bytes?.length ?? 0), 8)
    const target = Buffer.allocUnsafe(size)
    target.writeBigInt64BE(BigInt(this.nextMs), 0)
    let at = 8
    for (const { fromMs, bytes } of this.#versions) {
      target.writeBigInt64BE(BigInt(fromMs), at)
      target.writeInt32BE(bytes?.length ?? -1, at + 8)
      at += 12
      if (bytes !== null) at += bytes.copy(target, at)
    }
    return target
  }

  #truncate(timeMs: number): void {
    if (timeMs <= this.minMs) {
      this.#versions.splice(0, this.#versions.length, { fromMs: timeMs, bytes: null })
    } else {
      while (this.#versions[0]!.fromMs >= timeMs) this.#versions.shift()
    }
    this.nextMs = timeMs
  }

  #at(index: number): SegmentVersion {
    const { fromMs, bytes } = this.#versions[index]!
    return {
      index,
      bytes,
      validFromMs: fromMs,
      validToMs: index === 0 ? this.nextMs : this.#versions[index - 1]!.fromMs,
    }
  }
}
