import type { InputBound, InstanceInfo } from '../queries/store-query.ts'
import { queryKinds } from '../queries/open-read-only.ts'
import { StoreNotAvailableError } from '../common/errors.ts'
import type { Streams } from '../runtime/streams.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { askPeer, type PeerAnswer } from './ask-peer.ts'
import { type JsonForm, jsonForm } from './json-form.ts'
import type { Plan, Row } from './plan.ts'
import { keyNotFound, keyNotFoundType, notAvailable } from './problem.ts'
import type { CheckedOptions, ServedStore } from './router-options.ts'

/** A request for a store, read. */
export interface Ask {
  readonly plan: Plan
  readonly isStale: boolean
  readonly atLeast: readonly InputBound[]
  /** Another instance asks: these partitions of a scan, and nobody else is asked again. */
  readonly forwarded: { readonly partitions: readonly number[] | null } | null
  /** The path and the parameters, for another instance. */
  readonly pathFor: (partitions: readonly number[] | null) => string
}

interface RowOf extends Row {
  readonly partition: number
}

/**
 * Answers for one store: from here, or from the instance that has it, which is asked once.
 *
 *   one key   the owner; if copies may be asked and it does not answer, one copy after the other
 *   a scan    each instance for its partitions; every partition exactly once, or the answer is 503
 */
export class StoreServer {
  readonly spec: StoreSpec
  readonly form: JsonForm
  readonly served: ServedStore
  readonly #streams: Streams
  readonly #options: CheckedOptions

  constructor(name: string, streams: Streams, options: CheckedOptions) {
    this.spec = streams.queries.spec(name)
    this.served = options.stores[name]!
    this.form = jsonForm(this.spec, this.served)
    this.#streams = streams
    this.#options = options
    this.#view(false, []) // throws for a store that cannot be read
  }

  async answer(ask: Ask): Promise<PeerAnswer> {
    this.#streams.queries.checkBounds(this.spec.name, ask.atLeast)
    if (ask.plan.key !== null) return this.#ofKey(ask, ask.plan.key.of)
    return { status: 200, body: await this.#scan(ask) }
  }

  async #ofKey(ask: Ask, key: unknown): Promise<PeerAnswer> {
    if (ask.forwarded !== null) return this.#here(ask, ask.isStale)
    const { active, standbys } = this.#streams.metadataForKey(this.spec.name, key, this.served.partitioner as never)
    const candidates = [...(active === null ? [] : [active]), ...(ask.isStale ? standbys : [])]
    for (const instance of candidates) {
      try {
        const isStale = ask.isStale && instance !== active
        const answer = instance.isLocal ? this.#here(ask, isStale) : await this.#ask(instance, ask, null)
        if (answer.status === 200 || answer.body['type'] === keyNotFoundType) return answer
      } catch (error) {
        if (!isPassing(error)) throw error
      }
    }
    throw notAvailable(this.spec.name)
  }

  #here({ plan, atLeast }: Ask, isStale: boolean): PeerAnswer {
    const rows = take(plan.read(this.#view(isStale, atLeast)), plan.limit + 1)
    if (!plan.isSingle) return { status: 200, body: this.#body(rows, plan.limit) }
    const [row] = rows
    if (row === undefined) throw keyNotFound(this.spec.name)
    return { status: 200, body: { store: this.spec.name, ...row.json } }
  }

  async #scan(ask: Ask): Promise<PeerAnswer['body']> {
    const { plan, forwarded } = ask
    const count = this.#streams.queries.partitionCount(this.spec.name)
    if (count === null) return this.#body(take(plan.read(this.#view(false, ask.atLeast)), plan.limit + 1), plan.limit)
    if (forwarded !== null) {
      const rows = this.#rowsHere(ask, forwarded.partitions ?? [], ask.isStale)
      return { rows: rows.map(({ partition, order, json }) => [partition, order, json]) }
    }
    const isFirstTry = new Map<InstanceInfo, number[]>()
    const left: number[] = []
    const instances = this.#streams.metadataForStore(this.spec.name)
    for (let partition = 0; partition < count; partition++) {
      const owner = instances.find(({ activePartitions }) => activePartitions.includes(partition))
      if (owner === undefined) left.push(partition)
      else isFirstTry.set(owner, [...(isFirstTry.get(owner) ?? []), partition])
    }
    const found = await Promise.all(
      [...isFirstTry].map(async ([instance, partitions]) => {
        const rows = await this.#rowsOf(instance, ask, partitions, false)
        if (rows === null) left.push(...partitions)
        return rows ?? []
      }),
    )
    for (const partition of left) {
      const copies = ask.isStale ? instances.filter((one) => one.standbyPartitions.includes(partition)) : []
      let rows: readonly RowOf[] | null = null
      for (const copy of copies) rows ??= await this.#rowsOf(copy, ask, [partition], true)
      if (rows === null) throw notAvailable(this.spec.name)
      found.push(rows)
    }
    return this.#body(sorted(found.flat(), plan.isReverse), plan.limit)
  }

  /** null: it does not answer, or has not all of them. */
  async #rowsOf(
    instance: InstanceInfo,
    ask: Ask,
    partitions: readonly number[],
    isStale: boolean,
  ): Promise<readonly RowOf[] | null> {
    try {
      if (instance.isLocal) return this.#rowsHere(ask, partitions, isStale)
      const { status, body } = await this.#ask(instance, ask, partitions)
      if (status !== 200 || !Array.isArray(body['rows'])) return null
      return (body['rows'] as [number, string | null, Row['json']][]).map(([partition, order, json]) => ({
        partition,
        order,
        json,
      }))
    } catch (error) {
      if (isPassing(error)) return null
      throw error
    }
  }

  /** As many of each as the whole answer may have, and one more. */
  #rowsHere({ plan, atLeast }: Ask, partitions: readonly number[], isStale: boolean): readonly RowOf[] {
    return partitions.flatMap((partition) =>
      take(plan.read(this.#view(isStale, atLeast, [partition])), plan.limit + 1).map((row) => ({ ...row, partition })),
    )
  }

  async #ask({ endpoint }: InstanceInfo, ask: Ask, partitions: readonly number[] | null): Promise<PeerAnswer> {
    const { timeoutMs, forward } = this.#options
    if (endpoint === null) throw notAvailable(this.spec.name)
    try {
      return await askPeer(endpoint, ask.pathFor(partitions), timeoutMs, forward)
    } catch (error) {
      const { logger } = this.#streams.queries
      logger.warn({ event: 'query.unanswered', endpoint, error: String(error) }, 'an instance did not answer a query')
      throw notAvailable(this.spec.name)
    }
  }

  #view(allowStale: boolean, atLeast: readonly InputBound[], partitions?: readonly number[]): unknown {
    const { partitioner } = this.served
    return this.#streams.store(this.spec.name, {
      kind: queryKinds(this.spec).at(-1) ?? 'keyValue',
      allowStale,
      atLeast,
      ...(partitions === undefined ? {} : { partitions }),
      ...(partitioner === undefined ? {} : { partitioner: partitioner as never }),
    })
  }

  #body(rows: readonly Row[], limit: number): PeerAnswer['body'] {
    const entries = rows.slice(0, limit).map(({ json }) => json)
    return { store: this.spec.name, entries, isTruncated: rows.length > limit }
  }
}

function take<T>(rows: Iterable<T>, count: number): T[] {
  const taken: T[] = []
  for (const row of rows) {
    taken.push(row)
    if (taken.length === count) break
  }
  return taken
}

/** By their keys' bytes; those that have no such order, partition by partition. */
function sorted(rows: readonly RowOf[], isReverse: boolean): readonly RowOf[] {
  const sign = isReverse ? -1 : 1
  return rows.toSorted((a, b) => {
    if (a.order === null || b.order === null) return a.partition - b.partition
    return a.order < b.order ? -sign : a.order > b.order ? sign : 0
  })
}

const isPassing = (error: unknown): boolean =>
  error instanceof StoreNotAvailableError || (error as { readonly status?: unknown }).status === 503
