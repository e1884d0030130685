import type { Json, Raw } from '../runner/format.ts'
import type { Draft, InputTopic } from './draft.ts'
import { present } from './draft.ts'
import type { Random } from './random.ts'
import { innerOf, type KeyType } from './types.ts'

/** Few keys, so that records meet; some that sort otherwise as UTF-16 than as bytes, or are the empty string. */
const stringKeys = ['a', 'b', 'A', 'B', 'ab', 'c', '', 'é', '\uffee', '\u{1f600}', 'aa|b']
const shortValues = ['a', 'b', 'ab', 'x|a', 'y|b', 'z|c', 'aa', 'B', 'abc', 'z|', 'null', 'NULL', 'boom', '']
const stringValues = [...shortValues, 'é|é', '\u{1f600}x', 'ı', 'ß', 'a long value that exceeds the cap']
const longs: readonly Json[] = [
  0,
  1,
  2,
  3,
  -1,
  7,
  100,
  9_007_199_254_740_991,
  '9007199254740993',
  '-9223372036854775808',
]
const integers: readonly Json[] = [0, 1, 2, -1, 2_147_483_647, -2_147_483_648]
const doubles: readonly Json[] = [0, 0.5, -1.25, 3, 'NaN', 'Infinity', '-0', 1e300]
const bytes: readonly Json[] = ['', '00', 'ff', '61', '7fff', 'ff00', '80']

/** The start of the world, and how it goes on. */
export function inputs(draft: Draft): Raw[] {
  const { random } = draft
  // Functions that cut between the halves of a character make strings that no encoding has: rare, for few care.
  const isAstral = random.chance(0.1)
  const usual = (texts: readonly string[]): string[] =>
    texts.filter((text) => isAstral || !/[\u{10000}-\u{10ffff}]/u.test(text))
  const keys = palette(random, usual(stringKeys), random.whole(1, 5))
  const values = palette(random, usual(stringValues), random.whole(2, 9))
  const hasClock = usesWallClock(draft)
  const times = new Times(draft)
  const stimuli: Raw[] = []
  const length = random.weighted([
    [3, random.whole(4, 12)],
    [4, random.whole(10, 30)],
    [1, random.whole(30, 60)],
  ])
  while (stimuli.length < length) {
    if (random.chance(hasClock ? 0.15 : 0.02)) stimuli.push({ advanceMs: times.someSpan() })
    else stimuli.push(record(draft, random.pick(draft.inputs), times, keys, values))
  }
  return stimuli
}

const palette = <T>(random: Random, all: readonly T[], size: number): T[] =>
  Array.from({ length: size }, (_, i) => (i === 0 ? all[random.whole(0, 1)]! : random.pick(all)))

const usesWallClock = ({ config, steps }: Draft): boolean =>
  config['emitIntervalMs'] !== undefined || JSON.stringify(steps).includes('"wallClock"')

function record(
  draft: Draft,
  topic: InputTopic,
  times: Times,
  keys: readonly string[],
  values: readonly string[],
): Raw {
  const { random } = draft
  // Not where a number becomes a timestamp: beyond 2^53 those are out of the format's reach.
  const isLargeFine = topic.timestampExtractor !== 'valueNumber'
  const key = random.chance(0.06) ? null : valueOf(random, topic.key, keys, isLargeFine)
  const value = random.chance(0.1) ? null : valueOf(random, topic.value, values, isLargeFine)
  // Bytes that no deserializer takes: a long of two bytes. A global topic has no handler, so there they are always good.
  const isBad = !topic.name.startsWith('global') && random.chance(draft.config['deserializationHandler'] ? 0.1 : 0.002)
  const badBytes = isBad && (topic.value === 'long' || topic.value === 'integer' || topic.value === 'double')
  return present({
    topic: topic.name,
    key,
    ...(badBytes ? { valueHex: '0102' } : { value }),
    timestamp: random.chance(negativeProbability(topic)) ? -1 : times.next(),
    headers: random.maybe(0.12, () => headers(random)),
  })
}

/** Most extractors fail on a negative timestamp, and that is the end of the scenario. */
function negativeProbability({ name, timestampExtractor }: InputTopic): number {
  if (name.startsWith('global')) return 0.0005
  return timestampExtractor === 'failOnInvalid' ? 0.001 : 0.1
}

const headers = (random: Random): Json[] =>
  Array.from({ length: random.whole(1, 3) }, () => [
    random.pick(['h', 'g', 'k']),
    random.pick(['', '00', 'ff', '7a', null]),
  ])

function valueOf(random: Random, type: KeyType, strings: readonly string[], hasLargeNumbers: boolean): Json {
  switch (innerOf(type)) {
    case 'string':
      return random.pick(strings)
    case 'long':
      return random.chance(0.85) || !hasLargeNumbers ? random.pick(longs.slice(0, 6)) : random.pick(longs)
    case 'integer':
      return random.chance(0.85) ? random.pick(integers.slice(0, 4)) : random.pick(integers)
    case 'double':
      return random.pick(doubles)
    case 'bytes':
      return random.pick(bytes)
  }
}

/** Timestamps around the boundaries that the topology's spans make: on them, one before, one after, and far beyond. */
class Times {
  readonly #draft: Draft
  readonly #spans: readonly number[]
  #now: number
  #max: number

  constructor(draft: Draft) {
    const { random, unitMs } = draft
    this.#draft = draft
    this.#spans = draft.spansMs.length > 0 ? draft.spansMs : [unitMs, 10 * unitMs]
    this.#now = random.weighted([
      [4, 0],
      [4, random.whole(0, 30) * unitMs],
      [2, random.whole(1, 5) * 60_000],
      [1, 1_700_000_000_000],
    ])
    this.#max = this.#now
  }

  someSpan(): number {
    const { random, unitMs } = this.#draft
    return random.chance(0.8) ? random.pick(this.#spans) + random.whole(0, 1) : unitMs * random.whole(1, 10)
  }

  next(): number {
    this.#now = Math.max(0, this.#step())
    this.#max = Math.max(this.#max, this.#now)
    return this.#now
  }

  #step(): number {
    const { random, unitMs } = this.#draft
    const off = random.whole(-1, 1)
    const span = random.pick(this.#spans)
    return random.weighted([
      [4, this.#now],
      [4, this.#now + 1],
      [6, this.#now + random.whole(0, 3) * unitMs],
      [4, this.#now + span + off],
      [2, this.#max + span + random.pick(this.#spans) + off],
      // Late: behind stream time by one span, or by two, as with size and grace.
      [4, this.#max - span + off],
      [2, this.#max - span - random.pick(this.#spans) + off],
      [2, this.#max],
      // Segments are half the retention and 60 s at least.
      [1, Math.ceil((this.#max + 1) / 60_000) * 60_000 + off],
      [1, this.#max + 60_000 * random.whole(1, 3) + off],
      [1, this.#max - 60_000 * random.whole(1, 2) + off],
      [0.3, this.#max + 100 * span + off],
    ])
  }
}
