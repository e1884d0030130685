import type { IncomingMessage } from 'node:http'
import { ArgumentError } from '../common/errors.ts'
import { shown } from '../common/shown.ts'
import type { InstanceInfo } from '../queries/store-query.ts'
import type { ForwardOptions } from '../query-router/router-options.ts'

export interface OperationsOptions {
  /** Where the page is; the same on every instance. Default `/operations`. */
  readonly path?: string
  /**
   * Whether what people have put into records may be seen: values of stores under a key that is asked for; keys, values and messages of dead
   * letters. `true` for all, or the names of the stores, with which dead letters stay closed. Default false: that something is there, and since
   * when, and never what.
   */
  readonly showValues?: boolean | readonly string[]
  /** How a key of a store is read from what somebody types; else by the store's serde, as the query router does it. What it throws means no. */
  readonly keyFromText?: { readonly [store: string]: (text: string) => unknown }
  /** Where another instance's page is, as `host:port`; null: nowhere. Default: its `endpoint`. */
  readonly addressOf?: (instance: InstanceInfo) => string | null
  /** How long another instance may take to answer. Default 2 s. */
  readonly timeoutMs?: number
  /** For requests to other instances: headers that they ask for, or `{ protocol: 'https:', ca }`. */
  readonly forward?: ForwardOptions
  /** false: 403. What else stands before the page is the program's. Default: everybody. */
  readonly authorize?: (request: IncomingMessage) => boolean | Promise<boolean>
  /** What the program adds about its instance, by name: asked for at each look, so it has to be at hand. */
  readonly facts?: () => { readonly [name: string]: string | number }
  /** What waits for longer than this is called a delay. Default 30 s. */
  readonly delayMs?: number
  /** Between two readings of the counters, for rates and what is recent. Default 5 s. */
  readonly sampleMs?: number
  /** How long an answer is good for whoever asks next. Default 1 s. */
  readonly freshMs?: number
}

export type CheckedOptions = Required<OperationsOptions>

const names: readonly (keyof OperationsOptions)[] = [
  'path',
  'showValues',
  'keyFromText',
  'addressOf',
  'timeoutMs',
  'forward',
  'authorize',
  'facts',
  'delayMs',
  'sampleMs',
  'freshMs',
]

export function checkedOptions(options: OperationsOptions): CheckedOptions {
  for (const name of Object.keys(options)) {
    if ((names as readonly string[]).includes(name)) continue
    throw new ArgumentError(name, `the operations page has no option "${name}"; there are ${names.join(', ')}`)
  }
  const { path = '/operations', showValues = false, keyFromText = {}, forward = {} } = options
  const { timeoutMs = 2000, delayMs = 30_000, sampleMs = 5000, freshMs = 1000 } = options
  for (const [name, value] of Object.entries({ timeoutMs, delayMs, sampleMs, freshMs })) {
    if (Number.isSafeInteger(value) && value >= (name === 'freshMs' ? 0 : 1)) continue
    throw new ArgumentError(name, `${name} must be a whole number of milliseconds; got ${shown(value)}`)
  }
  if (!/^(?:\/[\w.~-]+)+$/.test(path)) {
    throw new ArgumentError('path', `path must be like "/operations"; got ${shown(path)}`)
  }
  if (typeof showValues !== 'boolean' && !Array.isArray(showValues)) {
    throw new ArgumentError('showValues', `showValues must be true, false or names of stores; got ${shown(showValues)}`)
  }
  return {
    path,
    showValues,
    keyFromText,
    addressOf: options.addressOf ?? (({ endpoint }) => endpoint),
    timeoutMs,
    forward,
    authorize: options.authorize ?? (() => true),
    facts: options.facts ?? (() => ({})),
    delayMs,
    sampleMs,
    freshMs,
  }
}
