import { isUtf8 } from 'node:buffer'
import type { Headers } from 'stream-core'

/** A record of the log. */
export interface LoggedRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
}

/** Bytes as text where they are text, so that a backup can be read; else in base64, so that no byte is lost. */
type Bytes = string | { readonly base64: string } | null

interface Line {
  readonly offset: number
  readonly at: number
  readonly key: Bytes
  readonly value: Bytes
  readonly headers?: readonly (readonly [string, Bytes])[]
}

const toBytes = (bytes: Buffer | null): Bytes =>
  bytes === null ? null : isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') }

const fromBytes = (bytes: Bytes): Buffer | null =>
  bytes === null ? null : typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.base64, 'base64')

export function lineOf({ offset, timestampMs, key, value, headers }: LoggedRecord): string {
  const line: Line = { offset, at: timestampMs, key: toBytes(key), value: toBytes(value) }
  if (headers.length === 0) return JSON.stringify(line)
  return JSON.stringify({ ...line, headers: headers.map(([name, bytes]) => [name, toBytes(asBuffer(bytes))]) })
}

export function recordOf(text: string): LoggedRecord {
  const { offset, at, key, value, headers = [] } = JSON.parse(text) as Line
  return {
    offset,
    timestampMs: at,
    key: fromBytes(key),
    value: fromBytes(value),
    headers: headers.map(([name, bytes]) => [name, fromBytes(bytes)]),
  }
}

const asBuffer = (bytes: Uint8Array | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes))
