import type { Topology } from 'stream-core'
import { checkRetentions, forgetLongLimits } from './long-limits.ts'
import { checkStoreSerdes, withStoreSerdes } from './store-serdes.ts'
import { TopologyTestDriver } from 'stream-core/testing'
import { compareRecordings, type Divergence } from './compare.ts'
import { dslTopology } from './dsl-topology.ts'
import type { EffectLog } from './effect-log.ts'
import { JavaError, recordedError } from './error-classes.ts'
import {
  checkFields,
  FormatError,
  given,
  type Json,
  oneOf,
  type Raw,
  type RecordedRecord,
  type Recording,
  required,
  type Scenario,
  text,
  whole,
} from './format.ts'
import { lowLevelTopology } from './low-level-topology.ts'
import { recordedStores } from './recorded-stores.ts'
import { checkSerde, decode, encode, fromHex, fromJson, toHex, toJson } from './wire.ts'

export interface Outcome {
  /** The first difference from what Java did; null: there is none. */
  readonly divergence: Divergence | null
  /** What the library did. */
  readonly recording: Recording
}

const configFields = [
  'optimization',
  'cacheBytes',
  'defaultKeySerde',
  'defaultValueSerde',
  'dslStore',
  'wallClockStartMs',
  'emitIntervalMs',
  'timestampExtractor',
  'deserializationHandler',
  'processingHandler',
  'requireExplicitNames',
  'processValuesFix',
]

/** Runs a scenario on the library and compares. Throws a FormatError for what the format does not define. */
export function runScenario(scenario: Scenario): Outcome {
  const effects: EffectLog = { effects: [], stimulus: -1 }
  forgetLongLimits()
  checkFields(scenario.config ?? {}, 'the configuration', configFields)
  for (const { keySerde, valueSerde } of Object.values(scenario.topics ?? {})) {
    checkSerde(keySerde)
    checkSerde(valueSerde)
  }
  const { recording, topology } = record(scenario, effects)
  const wholeChangelogs = new Set(topology?.stores.filter(keepsEveryChange).map(({ name }) => `app-${name}-changelog`))
  const divergence = compareRecordings(scenario.expected, recording, wholeChangelogs)
  return { divergence, recording }
}

/** The changelogs of these stores may not be thinned out to the last record of each key. */
const keepsEveryChange = (spec: Topology['stores'][number]): boolean =>
  spec.kind === 'versioned' || (spec.kind === 'window' && spec.retainDuplicates)

function record(scenario: Scenario, effects: EffectLog): { recording: Recording; topology: Topology | null } {
  let topology: Topology
  let describe: string
  try {
    topology = buildTopology(scenario, effects)
    describe = topology.describe()
  } catch (error) {
    return { recording: { error: recordedError(error, 'build') }, topology: null }
  }
  let driver: TopologyTestDriver
  try {
    checkStoreSerdes(topology)
    checkRetentions(topology)
    checkDirectories(topology)
    driver = new TopologyTestDriver(topology, driverOptions(scenario.config ?? {}))
  } catch (error) {
    return { recording: { error: recordedError(error, 'start'), describe }, topology }
  }
  const recording = runDriver(scenario, driver, effects)
  return { recording: { describe, ...recording }, topology }
}

/** Java keeps a store in a directory of its name, which not every name can be. */
function checkDirectories({ stores, globalStores }: Topology): void {
  for (const spec of [...stores, ...globalStores]) {
    const { name, kind, inMemory } = spec
    const isInMemory = kind === 'suppressBuffer' || (kind === 'keyValue' && inMemory)
    if (isInMemory || (name.length <= 255 && (!name.includes('/') || globalStores.includes(spec)))) continue
    throw new JavaError('ProcessorStateException', `no directory can be named "${name}"`)
  }
}

function runDriver(scenario: Scenario, driver: TopologyTestDriver, effects: EffectLog): Recording {
  try {
    const recording = runStimuli(scenario, driver, effects)
    if (recording.error === null) driver.close()
    else closeQuietly(driver)
    return recording
  } catch (error) {
    // Not a stimulus failed, but looking at what the others did: a bug, for Java cannot have recorded this.
    closeQuietly(driver)
    return { error: recordedError(error, 'run') }
  }
}

/** What closing throws must not hide why the scenario ended. */
function closeQuietly(driver: TopologyTestDriver): void {
  try {
    driver.close()
  } catch {
    // The first error is the one that counts.
  }
}

function buildTopology(given: Scenario, effects: EffectLog): Topology {
  const scenario = { ...given, topology: withStoreSerdes(given.topology, given.config ?? {}) }
  const cacheBytes = whole(scenario.config ?? {}, 'cacheBytes') ?? 0
  if (cacheBytes < 0) throw new JavaError('ConfigException', `statestore.cache.max.bytes is ${cacheBytes}`)
  switch (scenario.api ?? 'dsl') {
    case 'dsl':
      return dslTopology(scenario, effects)
    case 'topology':
      return lowLevelTopology(scenario)
    default:
      throw new FormatError(`unknown api ${JSON.stringify(scenario.api)}`)
  }
}

function driverOptions(config: Raw) {
  const deserialization = oneOf(config, 'deserializationHandler', ['continue'])
  const processing = oneOf(config, 'processingHandler', ['continue'])
  return {
    applicationId: 'app',
    cacheMaxBytes: Math.min(whole(config, 'cacheBytes') ?? 0, Number.MAX_SAFE_INTEGER),
    wallClockStartMs: whole(config, 'wallClockStartMs') ?? 0,
    // An interval below 0 is always over, as one of 0 is.
    emitIntervalMs: Math.min(Math.max(0, whole(config, 'emitIntervalMs') ?? 0), Number.MAX_SAFE_INTEGER),
    handlers: given({
      deserialization: deserialization && (() => deserialization),
      processing: processing && (() => processing),
    }),
  }
}

function runStimuli(scenario: Scenario, driver: TopologyTestDriver, log: EffectLog): Recording {
  const capture = new Map<string, RecordedRecord[]>()
  drain(scenario, driver, -1, capture)
  for (const [i, stimulus] of scenario.input.entries()) {
    const effectsBefore = log.effects.length
    log.stimulus = i
    try {
      stimulate(stimulus, scenario, driver)
    } catch (error) {
      log.effects.length = effectsBefore
      return { error: recordedError(error, 'run', i), ...captured(scenario, capture, log) }
    }
    drain(scenario, driver, i, capture)
  }
  return {
    error: null,
    ...captured(scenario, capture, log),
    stores: recordedStores(driver, scenario.input),
    droppedRecords: driver.droppedRecords,
    streamTime: driver.streamTimeMs,
  }
}

const stimulusFields = ['topic', 'key', 'value', 'keyHex', 'valueHex', 'timestamp', 'headers']

function stimulate(stimulus: Raw, scenario: Scenario, driver: TopologyTestDriver): void {
  const advanceMs = whole(stimulus, 'advanceMs')
  if (advanceMs !== undefined) {
    checkFields(stimulus, 'a stimulus', ['advanceMs'])
    if (advanceMs < 0) throw new JavaError('IllegalArgumentException', 'Sleep ms cannot be negative.')
    driver.advanceWallClockTime(advanceMs)
    return
  }
  checkFields(stimulus, 'a stimulus', stimulusFields)
  const topic = required(text, stimulus, 'topic')
  const key = bytesOf(stimulus, 'key', scenario.topics?.[topic]?.keySerde)
  const value = bytesOf(stimulus, 'value', scenario.topics?.[topic]?.valueSerde)
  driver.pipeBytes(topic, key, value, required(whole, stimulus, 'timestamp'), headersOf(stimulus))
}

function bytesOf(stimulus: Raw, part: 'key' | 'value', serde: Json | undefined): Buffer | null {
  const hex = stimulus[`${part}Hex`]
  if (hex !== undefined) return fromHex(hex)
  if (serde === undefined) throw new FormatError(`the topic "${stimulus['topic'] as string}" is not among "topics"`)
  return encode(fromJson(stimulus[part] ?? null, serde), serde)
}

function headersOf(stimulus: Raw): [string, Buffer | null][] {
  const headers = stimulus['headers'] ?? []
  if (!Array.isArray(headers)) throw new FormatError(`"headers" has to be an array, got ${JSON.stringify(headers)}`)
  return headers.map((header: Json) => {
    const [name, hex = null] = Array.isArray(header) ? (header as readonly Json[]) : []
    if (typeof name !== 'string')
      throw new FormatError(`a header is [name, hex or null], not ${JSON.stringify(header)}`)
    return [name, fromHex(hex)]
  })
}

/** Takes what was produced since the last call. */
function drain(
  scenario: Scenario,
  driver: TopologyTestDriver,
  after: number,
  capture: Map<string, RecordedRecord[]>,
): void {
  for (const topic of driver.producedTopics) {
    const records = capture.get(topic) ?? []
    if (!capture.has(topic)) capture.set(topic, records)
    const serdes = scenario.topics?.[topic]
    for (const { key, value, timestampMs, headers } of driver.producedRecords(topic).slice(records.length)) {
      records.push({
        after,
        key: serdes === undefined ? toHex(key) : toJson(decode(key, serdes.keySerde)),
        value: serdes === undefined ? toHex(value) : toJson(decode(value, serdes.valueSerde)),
        timestamp: timestampMs,
        ...(headers.length === 0 ? {} : { headers: headers.map(([name, bytes]) => [name, toHex(bytes)]) }),
      })
    }
  }
}

function captured(
  scenario: Scenario,
  capture: Map<string, RecordedRecord[]>,
  log: EffectLog,
): Omit<Recording, 'error'> {
  const isUsers = ([topic]: readonly [string, unknown]): boolean => scenario.topics?.[topic] !== undefined
  const topics = [...capture].filter(([, records]) => records.length > 0)
  return {
    outputs: Object.fromEntries(topics.filter(isUsers)),
    internal: Object.fromEntries(topics.filter((topic) => !isUsers(topic))),
    ...(log.effects.length === 0 ? {} : { effects: log.effects }),
  }
}
