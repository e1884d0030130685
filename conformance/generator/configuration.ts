import type { Draft } from './draft.ts'
import { timestampExtractor } from './source-steps.ts'

const optimizations = [
  'all',
  'reuse.ktable.source.topics',
  'merge.repartition.topics',
  'single.store.self.join',
  'reuse.ktable.source.topics,single.store.self.join',
  'none',
]

/** The application's settings; the low-level API knows only those of the runtime. */
export function configure(draft: Draft, isDsl: boolean): void {
  const { config, random } = draft
  const set = (option: string, value: string | number | boolean | undefined): void => {
    if (value !== undefined) config[option] = value
  }
  set(
    'cacheBytes',
    random.maybe(0.5, () =>
      random.weighted([
        [2, random.whole(100, 3000)],
        [2, 10_485_760],
        [0.5, 0],
      ]),
    ),
  )
  set(
    'wallClockStartMs',
    random.maybe(0.1, () => random.pick([1, 1000, 1_700_000_000_000])),
  )
  set(
    'timestampExtractor',
    random.maybe(0.06, () => timestampExtractor(draft)),
  )
  set(
    'deserializationHandler',
    random.maybe(0.15, () => 'continue'),
  )
  set(
    'processingHandler',
    random.maybe(0.25, () => 'continue'),
  )
  if (!isDsl) return
  set(
    'optimization',
    random.maybe(0.35, () => random.pick(optimizations)),
  )
  set(
    'defaultKeySerde',
    random.maybe(0.5, () =>
      random.weighted([
        [6, 'string'],
        [1, 'long'],
      ]),
    ),
  )
  set(
    'defaultValueSerde',
    random.maybe(0.5, () =>
      random.weighted([
        [5, 'string'],
        [2, 'long'],
        [0.5, 'bytes'],
      ]),
    ),
  )
  set(
    'dslStore',
    random.maybe(0.12, () => 'inMemory'),
  )
  set(
    'emitIntervalMs',
    random.maybe(0.12, () => draft.span(0, 10)),
  )
  set(
    'requireExplicitNames',
    random.maybe(draft.nameProbability === 1 ? 0.3 : 0.02, () => true),
  )
  set(
    'processValuesFix',
    random.maybe(0.15, () => true),
  )
}
