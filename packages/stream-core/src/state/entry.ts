/**
 * A value in a layer. Its bytes, its decoded form, or both; whoever lacks one makes it from the other and keeps it.
 * `bytes === null` is a deletion. Where user code may change the decoded object in place, the bytes are made before it
 * is handed on, and an abort forgets the decoded form (D11).
 */
export interface Entry {
  bytes: Buffer | null | undefined
  decoded: unknown
  readonly timestampMs: number
}
