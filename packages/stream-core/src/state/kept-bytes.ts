/** Few values share one piece of memory, and never others than values that are kept. */
const chunkBytes = 1024
const smallBytesMax = chunkBytes / 4

/**
 * Memory for values that stay. A Buffer that has just been encoded or received is a slice of something larger: Node's pool (64 kB,
 * shared with all that the process makes), or what a broker sent (megabytes), and the slice keeps all of it. A cache of
 * values of a hundred bytes so held a hundred times its own size. What is kept is therefore copied, next to other small values that
 * are kept: a chunk of one's own for each would cost ten times as much to make. One that outlives its neighbours holds a kilobyte.
 */
export class KeptBytes {
  #chunk = Buffer.alloc(0)
  #used = 0

  /** The same bytes, in memory that holds little else; those that already are come back as they are. */
  keep(bytes: Buffer): Buffer {
    const { length } = bytes
    if (bytes.buffer.byteLength <= Math.max(chunkBytes, length)) return bytes
    if (length > smallBytesMax) return copyInto(Buffer.allocUnsafeSlow(length), bytes)
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(chunkBytes)
      this.#used = 0
    }
    const place = this.#chunk.subarray(this.#used, (this.#used += length))
    return copyInto(place, bytes)
  }
}

function copyInto(place: Buffer, bytes: Buffer): Buffer {
  bytes.copy(place)
  return place
}
