import type { Json, Raw } from '../runner/format.ts'
import type { Random } from './random.ts'
import { isSameType, type KeyType, type Plain, serdeOf } from './types.ts'

/** What is known of the serdes of a step's result: an unknown one comes from the configuration's defaults. */
export interface Typed {
  readonly id: string
  readonly key: KeyType
  readonly value: Plain
  readonly isKeySerdeKnown: boolean
  readonly isValueSerdeKnown: boolean
}

export interface StreamHandle extends Typed {
  readonly kind: 'stream'
  /** The key may have changed since the last topic. */
  readonly isRekeyed: boolean
  /** The step changed the key itself. */
  readonly isKeyChanger: boolean
  /** The steps right below the key changers through which this stream comes (J5). */
  readonly belowKeyChangers: readonly string[]
}

export interface TableHandle extends Typed {
  readonly kind: 'table'
  /** A windowed aggregation is upstream and its key kept: final results are defined. */
  readonly isWindowResult: boolean
  readonly historyRetentionMs?: number
  /** Java cannot read it from a join: it comes from a windowed cogroup, whose table takes its window store for a key-value store. */
  readonly isUnreadable?: boolean
}

export interface GlobalTableHandle extends Typed {
  readonly kind: 'globalTable'
}

export interface InputTopic {
  readonly name: string
  readonly key: KeyType
  readonly value: Plain
  readonly timestampExtractor: string
}

type Fields = { readonly [field: string]: Json | undefined }

/** Without what is undefined: an option that is left out. */
export const present = (fields: Fields): Raw =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Raw

/** A scenario in the making: what is built so far, and the habits of the one who builds it. */
export class Draft {
  readonly random: Random
  readonly config: { [option: string]: Json } = {}
  readonly topics: { [topic: string]: { keySerde: Json; valueSerde: Json } } = {}
  readonly steps: Raw[] = []
  readonly streams: StreamHandle[] = []
  readonly tables: TableHandle[] = []
  readonly globalTables: GlobalTableHandle[] = []
  /** Names of global stores with string keys: every processor may read them without being connected. */
  readonly globalStores: string[] = []
  readonly inputs: InputTopic[] = []
  /** Handles that nothing reads yet: they get a sink at the end. */
  readonly loose = new Set<StreamHandle | TableHandle>()
  /** Sizes, graces, retentions and intervals of this scenario: input is placed around them. */
  readonly spansMs: number[] = []
  /** One unit of this scenario's windows. */
  readonly unitMs: number
  /** How often a step or a store gets a name. */
  readonly nameProbability: number
  /** J5: steps below a key changer that already have a repartition below them. */
  readonly repartitionedBelow = new Set<string>()
  /** Does also what Java fails at (J1 to J10): now and then, for what fails hides everything else. */
  readonly isCareless: boolean
  #count = 0

  constructor(random: Random) {
    this.random = random
    this.unitMs = random.pick([1, 1, 10, 1000, 5000, 20_000])
    this.nameProbability = random.pick([0, 0.3, 0.6, 1])
    this.isCareless = random.chance(0.12)
  }

  /** Unique within the scenario. */
  fresh(prefix: string): string {
    return `${prefix}${++this.#count}`
  }

  /** A span of `min` to `max` units, now and then one millisecond off. */
  span(min: number, max: number): number {
    const off = this.random.weighted([
      [8, 0],
      [1, 1],
      [1, -1],
    ] as const)
    return this.remember(Math.max(min === 0 ? 0 : 1, this.random.whole(min, max) * this.unitMs + off))
  }

  remember(spanMs: number): number {
    this.spansMs.push(spanMs)
    return spanMs
  }

  isOptimized(optimization: string): boolean {
    const given = (this.config['optimization'] ?? 'none') as string
    return given === 'all' || given.includes(optimization)
  }

  step(op: string, fields: Fields): string {
    const id = this.fresh('s')
    this.steps.push(present({ id, op, ...fields }))
    return id
  }

  /** A step that returns nothing. */
  endStep(op: string, fields: Fields): void {
    this.steps.push(present({ op, ...fields }))
  }

  optionalName(prefix: string): string | undefined {
    return this.random.maybe(this.nameProbability, () => this.fresh(prefix))
  }

  named(op: string): { named?: string } {
    const named = this.optionalName(`${op.toLowerCase()}-`)
    return named === undefined ? {} : { named }
  }

  /** The serde, if it has to be given; if it need not be, then sometimes all the same. */
  keySerde(key: KeyType, isKnown: boolean): Json | undefined {
    return this.#serde(key, isKnown, 'defaultKeySerde')
  }

  valueSerde(value: KeyType, isKnown: boolean): Json | undefined {
    return this.#serde(value, isKnown, 'defaultValueSerde')
  }

  #serde(type: KeyType, isKnown: boolean, option: string): Json | undefined {
    const isImplied = isKnown || this.#isDefault(type, option)
    return isImplied && this.random.chance(0.6) ? undefined : serdeOf(type)
  }

  /** Neither known nor the default: it has to be given. */
  hasSerdes(typed: Typed): boolean {
    return this.#knowsSerdes(typed) || (this.isCareless && this.random.chance(0.2))
  }

  #knowsSerdes({ key, value, isKeySerdeKnown, isValueSerdeKnown }: Typed): boolean {
    return (
      (isKeySerdeKnown || this.#isDefault(key, 'defaultKeySerde')) &&
      (isValueSerdeKnown || this.#isDefault(value, 'defaultValueSerde'))
    )
  }

  #isDefault(type: KeyType, option: string): boolean {
    const given = this.config[option]
    return given !== undefined && isSameType(type, given as KeyType)
  }

  addStream(stream: Omit<StreamHandle, 'kind'>, from?: StreamHandle | TableHandle): StreamHandle {
    const handle: StreamHandle = { kind: 'stream', ...stream }
    this.streams.push(handle)
    this.loose.add(handle)
    if (from) this.loose.delete(from)
    return handle
  }

  addTable(table: Omit<TableHandle, 'kind'>, ...from: (StreamHandle | TableHandle)[]): TableHandle {
    const handle: TableHandle = { kind: 'table', ...table }
    this.tables.push(handle)
    this.loose.add(handle)
    for (const each of from) this.loose.delete(each)
    return handle
  }

  inputTopic(prefix: string, key: KeyType, value: Plain, extractor?: Json): string {
    const name = this.fresh(prefix)
    this.topics[name] = { keySerde: serdeOf(key), valueSerde: serdeOf(value) }
    const timestampExtractor = (extractor ?? this.config['timestampExtractor'] ?? 'failOnInvalid') as string
    this.inputs.push({ name, key, value, timestampExtractor })
    return name
  }

  outputTopic(key: KeyType, value: Plain): string {
    const name = this.fresh('out')
    this.topics[name] = { keySerde: serdeOf(key), valueSerde: serdeOf(value) }
    return name
  }
}
