import type { Windowed } from '../common/windowed.ts'
import type {
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
} from '../queries/read-only-stores.ts'
import type { InputBound } from '../queries/store-query.ts'
import type { ValueAndTimestamp } from '../state/key-value-store.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { VersionedRecord } from '../state/versioned-store.ts'
import type { JsonForm } from './json-form.ts'
import { badRequest, notFound, wrongKind } from './problem.ts'

/** One entry of an answer. `order`: how it is sorted among those of other partitions; null: by its partition. */
export interface Row {
  readonly order: string | null
  readonly json: { readonly [name: string]: unknown }
}

/** What a request asks of a store. */
export interface Plan {
  /** null: of all keys. */
  readonly key: { readonly of: unknown } | null
  /** The answer is one entry, or 404. */
  readonly isSingle: boolean
  readonly isReverse: boolean
  readonly limit: number
  /** Reads it from a view of the store. */
  readonly read: (view: unknown) => Iterable<Row>
}

type View<T> = (view: unknown) => T
const asKeyValue: View<ReadOnlyKeyValueStore<unknown, unknown>> = (view) => view as never
const asWindow: View<ReadOnlyWindowStore<unknown, unknown>> = (view) => view as never
const asSession: View<ReadOnlySessionStore<unknown, unknown>> = (view) => view as never
const asVersioned: View<ReadOnlyVersionedStore<unknown, unknown>> = (view) => view as never

const later = Number.MAX_SAFE_INTEGER

/** Throws a Problem for what the store has not. `parts`: what comes behind the store's name in the path. */
export function planOf(
  spec: StoreSpec,
  form: JsonForm,
  parts: readonly string[],
  params: URLSearchParams,
  entriesMax: number,
): Plan {
  const reader = new Params(params)
  const limit = reader.whole('limit', entriesMax, 1)
  if (limit > entriesMax) throw badRequest(`limit must be at most ${entriesMax}`)
  const isReverse = reader.flag('reverse')
  const options = { reverse: isReverse }
  const route = parts.map((part, i) => (i === 1 && parts[0] === 'keys' ? ':key' : i === 3 ? ':start' : part)).join('/')
  const keyText = parts[0] === 'keys' ? parts[1] : undefined
  const key = keyText === undefined ? null : { of: form.keyFromText(keyText) }
  const common = { key, isSingle: false, isReverse, limit }
  const expect = (...kinds: readonly StoreSpec['kind'][]): void => {
    if (!kinds.includes(spec.kind)) throw wrongKind(spec.name, spec.kind, route)
  }
  const valueOf = (value: unknown) => shownValue(form, spec, value)
  const windowed = ([at, value]: readonly [Windowed<unknown>, unknown]): Row => ({
    order: null,
    json: { key: form.keyToJson(at.key), window: at.window, ...valueOf(value) },
  })
  const windowOf = (startMs: number) => ({
    start: startMs,
    end: startMs + (spec as { windowSizeMs: number }).windowSizeMs,
  })
  let plan: Plan
  switch (route) {
    case 'keys/:key': {
      expect('keyValue', 'versioned')
      const asOf = spec.kind === 'versioned' ? reader.time('asOf') : undefined
      const read = (view: unknown): Row[] => {
        const isVersioned = spec.kind === 'versioned'
        const value = isVersioned ? asVersioned(view).get(key!.of, asOf) : asKeyValue(view).get(key!.of)
        return value === null ? [] : [{ order: null, json: { key: form.keyToJson(key!.of), ...valueOf(value) } }]
      }
      plan = { ...common, isSingle: true, read }
      break
    }
    case 'keys/:key/versions':
      expect('versioned')
      plan = {
        ...common,
        read: (view) =>
          asVersioned(view)
            .history(key!.of)
            .map((value) => ({ order: null, json: valueOf(value) })),
      }
      break
    case 'keys': {
      expect('keyValue')
      const [from, to] = [reader.text('from'), reader.text('to')].map((text) =>
        text === undefined ? null : form.keyFromText(text),
      )
      const prefix = reader.text('prefix')
      if (prefix !== undefined && (from !== null || to !== null)) throw badRequest('a prefix has no from and to')
      plan = {
        ...common,
        *read(view) {
          const store = asKeyValue(view)
          const rows = prefix === undefined ? store.range(from, to, options) : store.prefixScan(prefix, options)
          for (const [own, value] of rows) {
            yield { order: form.orderOf(own), json: { key: form.keyToJson(own), ...valueOf(value) } }
          }
        },
      }
      break
    }
    case 'keys/:key/windows/:start': {
      expect('window')
      const startMs = wholeNumber('the start of a window', parts[3]!)
      plan = {
        ...common,
        isSingle: true,
        read: (view) => {
          const value = asWindow(view).fetch(key!.of, startMs)
          const json = { key: form.keyToJson(key!.of), window: windowOf(startMs), ...valueOf(value) }
          return value === null ? [] : [{ order: null, json }]
        },
      }
      break
    }
    case 'keys/:key/windows':
    case 'windows': {
      expect('window')
      const [from, to] = [reader.time('from') ?? 0, reader.time('to') ?? later]
      plan = {
        ...common,
        *read(view) {
          const store = asWindow(view)
          if (key === null) for (const row of store.fetchAll(from, to, options)) yield windowed(row)
          else {
            for (const [startMs, value] of store.fetchRange(key.of, from, to, options)) {
              yield windowed([{ key: key.of, window: windowOf(startMs) }, value])
            }
          }
        },
      }
      break
    }
    case 'keys/:key/sessions':
    case 'sessions': {
      expect('session')
      const [from, to] = key === null ? [0, later] : [reader.time('from') ?? 0, reader.time('to') ?? later]
      plan = {
        ...common,
        *read(view) {
          const store = asSession(view)
          const rows = key === null ? store.all(options) : store.findSessions(key.of, from, to, options)
          for (const row of rows) yield windowed(row)
        },
      }
      break
    }
    default:
      throw notFound('there is no such path; those of a store are keys, windows and sessions')
  }
  reader.end()
  return plan
}

function shownValue(form: JsonForm, spec: StoreSpec, value: unknown): { readonly [name: string]: unknown } {
  if (spec.kind === 'versioned') {
    const record = value as VersionedRecord<unknown> | null
    return { ...record, value: form.valueToJson(record?.value) }
  }
  const isTimed = (spec.kind === 'keyValue' || spec.kind === 'window') && spec.timestamped
  if (!isTimed || value === null) return { value: form.valueToJson(value) }
  const { value: own, timestampMs } = value as ValueAndTimestamp<unknown>
  return { value: form.valueToJson(own), timestampMs }
}

function wholeNumber(name: string, text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw badRequest(`${name} must be a whole number, 0 or more`)
  return value
}

/** Parameters, each read once at most; `end` refuses what nobody asked for. */
class Params {
  readonly #params: URLSearchParams
  readonly #known = new Set(['stale', 'partitions', 'atLeast'])

  constructor(params: URLSearchParams) {
    this.#params = params
  }

  text(name: string): string | undefined {
    this.#known.add(name)
    return this.#params.get(name) ?? undefined
  }

  time(name: string): number | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : wholeNumber(name, text)
  }

  whole(name: string, fallback: number, least: number): number {
    const value = this.time(name) ?? fallback
    if (value < least) throw badRequest(`${name} must be ${least} or more`)
    return value
  }

  flag(name: string): boolean {
    return flagOf(this.text(name), name)
  }

  end(): void {
    for (const name of this.#params.keys()) {
      if (!this.#known.has(name)) throw badRequest(`there is no parameter ${JSON.stringify(name.slice(0, 50))} here`)
    }
  }
}

export function flagOf(text: string | null | undefined, name: string): boolean {
  if (text === undefined || text === null || text === 'false') return false
  if (text === 'true') return true
  throw badRequest(`${name} must be true or false`)
}

/** `topic:partition:offset` each. */
export function boundsOf(texts: readonly string[]): readonly InputBound[] {
  return texts.map((text) => {
    const [, topic, partition, offset] = /^([\w.-]{1,249}):(\d{1,6}):(\d{1,16})$/.exec(text) ?? []
    if (topic === undefined) throw badRequest('atLeast must be topic:partition:offset')
    return { topic, partition: Number(partition), offset: wholeNumber('the offset of atLeast', offset!) }
  })
}
