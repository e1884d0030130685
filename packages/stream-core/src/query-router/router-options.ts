import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import { ArgumentError } from '../common/errors.ts'
import { shown } from '../common/shown.ts'
import type { KeyPartitioner } from '../queries/store-query.ts'

/** A store that is served, and how its keys and values look in URLs and JSON. */
export interface ServedStore {
  /** Also ranges and everything, not only what one key has: they cost what they visit. Default false. */
  readonly scans?: boolean
  /**
   * A key from its text in a URL; what it throws is a 400. Default: by the store's serde: texts and UUIDs as they are,
   * numbers and booleans as JSON writes them, bytes in base64url, `json` as JSON.
   */
  readonly keyFromText?: (text: string) => unknown
  /** Default: the key as it is; bigints and bytes as texts. */
  readonly keyToJson?: (key: never) => unknown
  /** Default: the value as it is; bigints and bytes as texts. */
  readonly valueToJson?: (value: never) => unknown
  /** How records came to their partitions, if not by Kafka's hash of their keys. */
  readonly partitioner?: KeyPartitioner<never>
}

export interface ForwardOptions extends RequestOptions {
  readonly headers?: OutgoingHttpHeaders
}

export interface QueryRouterOptions {
  /** By name; no other is served. */
  readonly stores: { readonly [name: string]: ServedStore }
  /** Clients may ask copies with `?stale=true`, when the owner does not answer. Default false. */
  readonly allowStale?: boolean
  /** Most entries of one answer, and how many come if nobody says. Default 1000. */
  readonly entriesMax?: number
  /** Before all paths; the same on every instance. Default `/stores`. */
  readonly path?: string
  /** How long another instance may take to answer. Default 5 s. */
  readonly timeoutMs?: number
  /** For requests to other instances: headers that they ask for, or `{ protocol: 'https:', ca }`. */
  readonly forward?: ForwardOptions
  /** false: 403. What else stands before the router is the program's. Default: everybody. */
  readonly authorize?: (request: IncomingMessage) => boolean | Promise<boolean>
}

export type CheckedOptions = Required<QueryRouterOptions>

const names = ['stores', 'allowStale', 'entriesMax', 'path', 'timeoutMs', 'forward', 'authorize']

export function checkedOptions(options: QueryRouterOptions): CheckedOptions {
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    throw new ArgumentError(name, `a query router has no option "${name}"; there are ${names.join(', ')}`)
  }
  const { stores, allowStale = false, entriesMax = 1000, path = '/stores', timeoutMs = 5000, forward = {} } = options
  if (typeof stores !== 'object' || stores === null || Object.keys(stores).length === 0) {
    throw new ArgumentError('stores', `stores must name the stores to serve, as { name: {} }; got ${shown(stores)}`)
  }
  for (const [name, value] of Object.entries({ entriesMax, timeoutMs })) {
    if (Number.isSafeInteger(value) && value > 0) continue
    throw new ArgumentError(name, `${name} must be a whole number, 1 or more; got ${shown(value)}`)
  }
  if (!/^(?:\/[\w.~-]+)+$/.test(path))
    throw new ArgumentError('path', `path must be like "/stores"; got ${shown(path)}`)
  return { stores, allowStale, entriesMax, path, timeoutMs, forward, authorize: options.authorize ?? (() => true) }
}
