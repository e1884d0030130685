import { ArgumentError, StoreNotAvailableError } from '../common/errors.ts'
import { printable } from '../common/printable.ts'
import { askPeer } from '../query-router/ask-peer.ts'
import { jsonForm, toJson } from '../query-router/json-form.ts'
import { Problem } from '../query-router/problem.ts'
import { queryKinds } from '../queries/open-read-only.ts'
import type { KeyMetadata } from '../queries/store-query.ts'
import type { Streams } from '../runtime/streams.ts'
import { changelogTopics } from '../runtime/internal-topics.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import type { GroupWatch } from './group-watch.ts'
import type { CheckedOptions } from './options.ts'
import { flag, listOf, number, objectOf, orNull, text } from './shape.ts'

/** Where a key is, and what is known of it there. */
export interface KeyExplanation {
  readonly store: string
  /** As it was typed. */
  readonly key: string
  /** null: not known, or a global store, which every instance has. */
  readonly partition: number | null
  readonly taskId: string | null
  /** `processId` of who runs the task. */
  readonly owner: string | null
  readonly copies: readonly string[]
  /** Why not more is known. */
  readonly problem: string | null
  /** null: nobody who has it has answered. */
  readonly found: KeyFindings | null
}

/** What the instance that has the task says of a key. */
export interface KeyFindings {
  readonly phase: string
  /** How far the task's inputs are read: what was written behind has not been counted yet. */
  readonly inputs: readonly {
    readonly topic: string
    readonly partition: number
    readonly position: number
    readonly lag: number | null
  }[]
  /** Every store of the task. */
  readonly stores: readonly StoreFindings[]
}

export interface StoreFindings {
  readonly store: string
  /** Changelog and how far of it the committed state stands for; null: none. */
  readonly changelog: { readonly topic: string; readonly partition: number; readonly position: number | null } | null
  /** What is under the key, the newest first, a few at most. */
  readonly entries: readonly KeyEntry[]
  readonly hasMore: boolean
  /** Why nothing was looked for. */
  readonly note: string | null
}

export interface KeyEntry {
  /** Window or session; null: the key has one value. */
  readonly window: { readonly start: number; readonly end: number } | null
  /** Event time of the value, where the store keeps it. */
  readonly timestampMs: number | null
  /** null: it may not be seen. */
  readonly value: string | null
}

const entriesMax = 5
const valueCharsMax = 2000
const keyCharsMax = 1000

const isFindings = objectOf({
  phase: text,
  inputs: listOf(objectOf({ topic: text, partition: number, position: number, lag: orNull(number) })),
  stores: listOf(
    objectOf({
      store: text,
      changelog: orNull(objectOf({ topic: text, partition: number, position: orNull(number) })),
      entries: listOf(
        objectOf({
          window: orNull(objectOf({ start: number, end: number })),
          timestampMs: orNull(number),
          value: orNull(text),
        }),
      ),
      hasMore: flag,
      note: orNull(text),
    }),
  ),
})

/** Finds the instance that has a key and asks it. Reads single keys only: the price is that of a few queries. */
export class KeyExplainer {
  readonly #streams: Streams
  readonly #options: CheckedOptions
  readonly #group: GroupWatch

  constructor(streams: Streams, group: GroupWatch, options: CheckedOptions) {
    this.#streams = streams
    this.#group = group
    this.#options = options
  }

  /** Rejects with nothing: what goes wrong is told in `problem`. */
  async explain(store: string, typed: string): Promise<KeyExplanation> {
    const nothing = { store, key: typed, partition: null, taskId: null, owner: null, copies: [], found: null }
    let found: { readonly metadata: KeyMetadata; readonly key: unknown }
    try {
      const key = this.#keyOf(store, typed)
      found = { key, metadata: this.#streams.metadataForKey(store, key) }
    } catch (error) {
      return { ...nothing, problem: told(error) }
    }
    const { partition, active, standbys } = found.metadata
    const where = {
      ...nothing,
      partition,
      taskId: partition === null ? null : `${this.#subtopologyOf(store)}_${partition}`,
      owner: active?.processId ?? null,
      copies: standbys.map(({ processId }) => processId),
    }
    if (active === null) return { ...where, problem: 'nobody has its task now: it is on its way from one to another' }
    try {
      if (active.isLocal) return { ...where, problem: null, found: this.#here(store, found.key, partition) }
      return { ...where, problem: null, found: await this.#ask(active, store, typed) }
    } catch (error) {
      return { ...where, problem: told(error) }
    }
  }

  /** What this instance has; for another that asks. Throws what `told` puts into words. */
  local(store: string, typed: string): KeyFindings {
    const key = this.#keyOf(store, typed)
    return this.#here(store, key, this.#streams.metadataForKey(store, key).partition)
  }

  #keyOf(store: string, typed: string): unknown {
    const spec = this.#streams.queries.spec(store)
    if (typed.length > keyCharsMax) throw new ArgumentError('key', `a key of ${typed.length} characters is too long`)
    const fromText = Object.hasOwn(this.#options.keyFromText, store) ? this.#options.keyFromText[store]! : undefined
    return jsonForm(spec, fromText === undefined ? {} : { keyFromText: fromText }).keyFromText(typed)
  }

  #subtopologyOf(store: string): number | null {
    const { subtopologies } = this.#streams.metricsSource.topology
    return subtopologies.find(({ storeNames }) => storeNames.includes(store))?.id ?? null
  }

  #here(name: string, key: unknown, partition: number | null): KeyFindings {
    const { thread, topology, applicationId } = this.#streams.metricsSource
    const taskId = `${this.#subtopologyOf(name)}_${partition ?? -1}`
    const task = thread?.manager.all.find((candidate) => candidate.taskId === taskId)
    const spec = this.#streams.queries.spec(name)
    if (partition === null) {
      return { phase: 'global', inputs: [], stores: [this.#lookUp(spec, spec, key, null, null)] }
    }
    if (task === undefined) throw new StoreNotAvailableError(`task ${taskId} is not here any more: try again`)
    const topicOf = changelogTopics(topology, applicationId)
    const isRunning = thread!.manager.running.includes(task)
    return {
      phase: isRunning ? 'running' : 'restoring',
      inputs: task.queueList.map((queue) => {
        const { topic, partition: own, committable: position } = queue
        return { topic, partition: own, position, lag: thread!.inputLag(queue) }
      }),
      stores: [...task.state.stores.values()]
        .map(({ spec: other }) => {
          const topic = topicOf(other.name)
          const position = task.state.position(other.name)?.offset ?? null
          const changelog = topic === undefined ? null : { topic, partition, position }
          return this.#lookUp(spec, other, key, partition, changelog)
        })
        .sort((a, b) => Number(b.store === name) - Number(a.store === name)),
    }
  }

  #lookUp(
    asked: StoreSpec,
    spec: StoreSpec,
    key: unknown,
    partition: number | null,
    changelog: StoreFindings['changelog'],
  ): StoreFindings {
    const nothing = { store: spec.name, changelog, entries: [], hasMore: false }
    if (queryKinds(spec).length === 0) return { ...nothing, note: 'a buffer of the library: it is not read by key' }
    if (spec.key.name !== asked.key.name) return { ...nothing, note: `its keys are of another kind: ${spec.key.name}` }
    try {
      const rows = this.#read(spec, key, partition)
      const entries = rows.slice(0, entriesMax).map(({ window, timestampMs, value }) => {
        return { window, timestampMs, value: this.#shows(spec.name) ? valueText(value) : null }
      })
      return { ...nothing, entries, hasMore: rows.length > entriesMax, note: null }
    } catch (error) {
      return { ...nothing, note: told(error) }
    }
  }

  #read(spec: StoreSpec, key: unknown, partition: number | null): readonly FoundRow[] {
    const where = { allowStale: true, ...(partition === null ? {} : { partitions: [partition] }) }
    const window = (at: { readonly start: number; readonly end: number }, value: unknown): FoundRow => ({
      window: at,
      ...timed(value, hasTime(spec)),
    })
    if (spec.kind === 'keyValue') {
      const value = this.#streams
        .store(spec.name, { kind: spec.timestamped ? 'timestampedKeyValue' : 'keyValue', ...where })
        .get(key)
      return value === null ? [] : [{ window: null, ...timed(value, hasTime(spec)) }]
    }
    if (spec.kind === 'versioned') {
      const record = this.#streams.store(spec.name, { kind: 'versioned', ...where }).get(key)
      return record === null ? [] : [{ window: null, timestampMs: record.timestampMs, value: record.value }]
    }
    if (spec.kind === 'session') {
      const rows = this.#streams
        .store(spec.name, { kind: 'session', ...where })
        .findSessions(key, 0, Number.MAX_SAFE_INTEGER, { reverse: true })
      return first(rows, ([at, value]) => window(at.window, value))
    }
    const { windowSizeMs, timestamped } = spec as StoreSpec & { readonly kind: 'window' }
    const rows = this.#streams
      .store(spec.name, { kind: timestamped ? 'timestampedWindow' : 'window', ...where })
      .fetchRange(key, 0, Number.MAX_SAFE_INTEGER, { reverse: true })
    return first(rows as Iterable<[number, unknown]>, ([start, value]) =>
      window({ start, end: start + windowSizeMs }, value),
    )
  }

  #shows(store: string): boolean {
    const { showValues } = this.#options
    return typeof showValues === 'boolean' ? showValues : showValues.includes(store)
  }

  async #ask(
    at: { readonly processId: string; readonly endpoint: string | null },
    store: string,
    typed: string,
  ): Promise<KeyFindings> {
    const address = this.#group.addressOf(at)
    if (address === null) throw new StoreNotAvailableError('the instance that has it has no endpoint')
    const { path, timeoutMs, forward } = this.#options
    const params = new URLSearchParams({ store, key: typed, of: at.processId })
    try {
      const { status, body } = await askPeer(address, `${path}/key.json?${params.toString()}`, timeoutMs, forward)
      if (status === 200 && isFindings(body)) return body as unknown as KeyFindings
      const said = body['detail']
      throw new StoreNotAvailableError(typeof said === 'string' ? said.slice(0, 500) : `it answers ${status}`)
    } catch (error) {
      if (error instanceof StoreNotAvailableError) throw error
      throw new StoreNotAvailableError(`${address}, which has it, does not answer: ${(error as Error).message}`)
    }
  }
}

interface FoundRow {
  readonly window: KeyEntry['window']
  readonly timestampMs: number | null
  readonly value: unknown
}

const hasTime = (spec: StoreSpec): boolean => 'timestamped' in spec && spec.timestamped

const timed = (value: unknown, isTimed: boolean): Pick<FoundRow, 'timestampMs' | 'value'> => {
  if (!isTimed) return { timestampMs: null, value }
  const { value: inner, timestampMs } = value as { readonly value: unknown; readonly timestampMs: number }
  return { timestampMs, value: inner }
}

/** One more than are shown, so that it can be told that there are more. */
function first<T>(rows: Iterable<T>, toRow: (row: T) => FoundRow): readonly FoundRow[] {
  const found: FoundRow[] = []
  for (const row of rows) {
    found.push(toRow(row))
    if (found.length > entriesMax) break
  }
  return found
}

function valueText(value: unknown): string {
  try {
    return printable(toJson(value) ?? String(value), valueCharsMax)
  } catch (error) {
    return `a value that JSON cannot show: ${String(error).slice(0, 100)}`
  }
}

/** What is told to people of an error that a question has led to. */
export function told(error: unknown): string {
  const isExpected =
    error instanceof Problem || error instanceof ArgumentError || error instanceof StoreNotAvailableError
  return isExpected ? error.message : `it cannot be told: ${String(error).slice(0, 300)}`
}
