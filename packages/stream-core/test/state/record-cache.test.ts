import { describe, expect, onTestFinished, test } from 'vitest'
import { int64, stores, StreamsBuilder, string } from '../../src/index.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../src/state/key-value-store.ts'
import { RecordCache } from '../../src/state/record-cache.ts'
import type { SessionStore } from '../../src/state/session-store.ts'
import type { StoreSpec, WindowStoreSpec } from '../../src/state/store-spec.ts'
import type { WindowStore } from '../../src/state/window-store.ts'
import { TopologyTestDriver } from '../../src/testing.ts'
import { StoreBench } from './store-bench.ts'

const strings = { key: string(), value: string() }
const rows = { name: 's', ...strings, caching: true }
const windows = { ...rows, windowSizeMs: 10, retentionMs: 1_000_000 }
const emitFinal: WindowStoreSpec = { ...stores.window(windows), emitFinal: true }

/** A cached store: put one entry, then say for how many of its size there is room. */
function cached<S>(spec: StoreSpec, putFirst: (store: S) => void, roomFor: number) {
  const measured = new RecordCache(1_000_000)
  const scale = new StoreBench(spec, 'memory', measured)
  putFirst(scale.store as unknown as S)
  scale.close()
  const bench = new StoreBench(spec, 'memory', new RecordCache(measured.sizeBytes * roomFor))
  onTestFinished(() => bench.close())
  const store = bench.store as unknown as S
  putFirst(store)
  /** Whatever has left the cache since the last time: the evicted one first. */
  const evicted = (): string | undefined => {
    const before = bench.changelog.length
    bench.commit()
    return bench.changelog[before]?.key
  }
  return { bench, store, evicted, entryBytes: measured.sizeBytes }
}

const startOf = (stored: string | undefined): number | undefined =>
  stored === undefined ? undefined : Number(Buffer.from(stored.slice(-12, -4), 'latin1').readBigInt64BE())

const endOf = (stored: string | undefined): number | undefined =>
  stored === undefined ? undefined : Number(Buffer.from(stored.slice(-16, -8), 'latin1').readBigInt64BE())

const takeOne = (entries: Iterable<unknown>): unknown => {
  for (const entry of entries) return entry
  return undefined
}

test('a reverse read hides what was deleted; the test driver shows some of it, as Java does', () => {
  const read = (isTestDriver: boolean) => {
    const bench = new StoreBench(stores.keyValue(rows), 'memory', new RecordCache(1_000_000), isTestDriver)
    onTestFinished(() => bench.close())
    const store = bench.store as unknown as KeyValueStore<string, string>
    for (const key of ['a', 'b', 'c']) store.put(key, '1')
    store.flushCache()
    bench.commit()
    store.delete('d')
    store.delete('b')
    return [...store.all({ reverse: true })]
  }
  const [a, c] = [
    ['a', '1'],
    ['c', '1'],
  ]
  expect(read(false)).toEqual([c, a])
  expect(read(true)).toEqual([['d', null], c, a])
})

describe('what the record cache counts as a use', () => {
  const threeRows = () => {
    const made = cached<KeyValueStore<string, string>>(stores.keyValue(rows), (store) => store.put('a', '1'), 3)
    made.store.put('b', '1')
    made.store.put('c', '1')
    return made
  }

  test('a range is a use of every entry that it comes by', () => {
    const { store, evicted } = threeRows()
    expect([...store.range('a', 'b')]).toEqual([
      ['a', '1'],
      ['b', '1'],
    ])
    store.put('d', '1')
    expect(evicted()).toBe('c')
  })

  test('a range that is left early has used what it has shown, and no more', () => {
    const { store, evicted } = threeRows()
    expect(takeOne(store.all())).toEqual(['a', '1'])
    store.put('d', '1')
    expect(evicted()).toBe('b')
  })

  test('what the cache holds next has been used before the store below shows an earlier row', () => {
    const { bench, store, evicted } = threeRows()
    bench.store.flushCache()
    bench.commit()
    store.put('d', '1')
    expect(evicted()).toBeUndefined()
    expect(takeOne(store.all())).toEqual(['a', '1'])
    store.put('c', '2')
    store.put('e', '1')
    expect(evicted()).toBe('d')
    store.put('d', '2')
    expect([...store.all()].map(([key]) => key)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('in production a range shows what is evicted while it goes on', () => {
    const bench = new StoreBench(stores.keyValue(rows), 'memory', new RecordCache(400), false)
    onTestFinished(() => bench.close())
    const store = bench.store as KeyValueStore<string, string>
    const keys = ['a', 'b', 'c']
    for (const key of keys) store.put(key, '1')
    const seen: string[] = []
    for (const [key] of store.all()) {
      seen.push(key)
      for (let i = 0; i < 10; i++) store.put(`z${key}${i}`, '1')
    }
    expect(seen.filter((key) => !key.startsWith('z'))).toEqual(keys)
  })

  test('in the test driver what is evicted while a range goes on is passed over, as in Java, and what it has reached is shown', () => {
    const { store } = threeRows()
    const seen: string[] = []
    for (const [key] of store.all()) {
      seen.push(key)
      if (key === 'a') store.put('d', '1')
    }
    expect(seen).toEqual(['a', 'c'])
  })
})

describe('what a window store counts as a use', () => {
  const threeWindows = (spec: WindowStoreSpec, starts: readonly (readonly [key: string, start: number])[]) => {
    const [[firstKey, firstStart], ...others] = starts as [readonly [string, number], ...(readonly [string, number])[]]
    const putFirst = (store: WindowStore<string, string>): void => store.put(firstKey, '1', firstStart)
    const made = cached(spec, putFirst, starts.length)
    for (const [key, start] of others) made.store.put(key, '1', start)
    return made
  }

  const perKey = [
    ['a', 10],
    ['a', 20],
    ['b', 30],
  ] as const

  test('a read of one key comes by the windows of this key and time only', () => {
    const { store, evicted } = threeWindows(stores.window(windows), perKey)
    expect([...store.fetchRange('a', 5, 15)]).toEqual([[10, '1']])
    store.put('c', '1', 40)
    expect(startOf(evicted())).toBe(20)
  })

  test('a read of one key back in time comes by all its windows in the slice where it ends', () => {
    const { store, evicted } = threeWindows(stores.window(windows), perKey)
    expect([...store.fetchRange('a', 15, 25, { reverse: true })]).toEqual([[20, '1']])
    store.put('c', '1', 40)
    expect(startOf(evicted())).toBe(30)
  })

  test('a read back in time from beyond the latest window begins at the slice of that one', () => {
    const { store, evicted } = threeWindows(stores.window(windows), perKey)
    expect([...store.fetchRange('a', 600_000, 700_000, { reverse: true })]).toEqual([])
    store.put('c', '1', 40)
    expect(startOf(evicted())).toBe(30)
  })

  test('a read of all keys comes by every window, whatever the times', () => {
    const { store, evicted } = threeWindows(stores.window(windows), [
      ['b', 30],
      ['a', 10],
      ['a', 20],
    ])
    expect([...store.fetchAll(1000, 2000)]).toEqual([])
    store.put('c', '1', 40)
    expect(startOf(evicted())).toBe(10)
  })

  test('in a store for emit-final a read of one key comes by the windows of others in its time', () => {
    const { store, evicted } = threeWindows(emitFinal, [
      ['b', 10],
      ['a', 30],
      ['b', 20],
    ])
    expect([...store.fetchRange('a', 5, 15)]).toEqual([])
    store.put('c', '1', 40)
    expect(startOf(evicted())).toBe(30)
  })

  test('in a store for emit-final a read of all keys stops at the first window that is too late', () => {
    const { store, evicted } = threeWindows(emitFinal, [
      ['a', 10],
      ['b', 20],
      ['a', 30],
    ])
    expect([...store.fetchAll(5, 15)].map(([{ window }]) => window.start)).toEqual([10])
    store.put('c', '1', 40)
    expect(startOf(evicted())).toBe(30)
  })

  test('an entry of a store for emit-final takes one byte more', () => {
    const putFirst = (store: WindowStore<string, string>): void => store.put('a', '1', 0)
    const plain = cached(stores.window(windows), putFirst, 1)
    expect(cached(emitFinal, putFirst, 1).entryBytes).toBe(plain.entryBytes + 1)
  })
})

test('a search for sessions is a use of all of this key that end late enough, also of those that begin too late', () => {
  const session = (key: string, start: number) => ({ key, window: { start, end: start + 5 } })
  const { store, evicted } = cached<SessionStore<string, string>>(
    stores.session({ ...rows, retentionMs: 1_000_000 }),
    (first) => first.put(session('a', 10), '1'),
    3,
  )
  store.put(session('b', 20), '1')
  store.put(session('a', 30), '1')
  expect([...store.findSessions('a', 12, 18)]).toEqual([[session('a', 10), '1']])
  store.put(session('c', 40), '1')
  expect(endOf(evicted())).toBe(25)
})

describe('a cached store that keeps the keys used last', () => {
  const lru = stores.keyValue({ ...rows, timestamped: true, maxEntries: 2 })

  test('goes on showing keys that it dropped while the cache has them', () => {
    const { bench, store } = cached<TimestampedKeyValueStore<string, string>>(lru, (first) => first.put('a', '1', 7), 9)
    store.put('b', '1', 8)
    store.put('c', '1', 9)
    bench.store.flushCache()
    expect([...store.all()].map(([key]) => key)).toEqual(['a', 'b', 'c'])
    expect(store.get('a')).toEqual({ value: '1', timestampMs: 7 })
    expect(store.approximateNumEntries()).toBe(2)
  })

  test('logs what it drops under the time of the record that pushed it out', () => {
    const bench = new StoreBench(lru, 'memory')
    onTestFinished(() => bench.close())
    const store = bench.store as TimestampedKeyValueStore<string, string>
    for (const key of ['a', 'b']) store.put(key, '1', 7)
    bench.commit()
    bench.recordTimeMs = 50
    store.put('c', '1', 20)
    bench.commit()
    const dropped = bench.changelog.filter(({ value }) => value === null)
    expect(dropped.map(({ key, timestampMs }) => [key, timestampMs])).toEqual([['a', 50]])
  })
})

describe('a global table in the test driver', () => {
  const outputsBeforeTheCommit = (caching: boolean): number => {
    const builder = new StreamsBuilder()
    builder.globalTable('g', { ...strings, store: { caching } })
    builder
      .stream('in', strings)
      .groupByKey()
      .count({ store: { caching: true } })
      .toStream()
      .to('out', { key: string(), value: int64() })
    const driver = new TopologyTestDriver(builder.build(), {
      cacheMaxBytes: 300,
      commits: 'manual',
      processingGuarantee: 'at-least-once',
    })
    driver.createInputTopic('g', strings).pipeInput('k', 'x'.repeat(200))
    driver.createInputTopic('in', strings).pipeInput('k', 'v')
    return driver.createOutputTopic('out', { key: string(), value: int64() }).readValuesToList().length
  }

  test('takes its part of the one budget: what it keeps evicts what other stores hold back', () => {
    expect(outputsBeforeTheCommit(true)).toBe(1)
  })

  test('takes none without a cache of its own', () => {
    expect(outputsBeforeTheCommit(false)).toBe(0)
  })
})
