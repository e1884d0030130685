import { type Headers, noHeaders } from '../common/record.ts'

/**
 * A value in a layer. Its bytes, its decoded form, or both; whoever lacks one makes it from the other and keeps it.
 * `bytes === null` is a deletion. Where user code may change the decoded object in place, the bytes are made before it
 * is handed on, and an abort forgets the decoded form (D11). Where it cannot, most entries never have bytes of their own:
 * the changelog and the disk take them in passing.
 */
export interface Entry {
  bytes: Buffer | null | undefined
  decoded: unknown
  /** Time of the changelog record; in a timestamped store also the value's own. */
  readonly timestampMs: number
  /** Headers of the changelog record. */
  readonly headers: Headers
}

export const bytesEntry = (bytes: Buffer | null, timestampMs: number, headers: Headers = noHeaders): Entry => ({
  bytes,
  decoded: undefined,
  timestampMs,
  headers,
})
