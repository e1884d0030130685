import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { int64, type KeyValueStore, stores, string, type TimestampedKeyValueStore } from '../../src/index.ts'
import { RecordCache } from '../../src/state/record-cache.ts'
import { viewOf } from '../../src/state/open-store.ts'
import type { StateStore } from '../../src/state/state-store.ts'
import type { VersionedKeyValueStore } from '../../src/state/versioned-store.ts'
import type { SessionStore } from '../../src/state/session-store.ts'
import type { WindowStore } from '../../src/state/window-store.ts'
import { lifeSteps, live, StoreBench } from './store-bench.ts'

const key = fc.constantFrom('a', 'ab', 'b', '', 'é')
const value = fc.option(fc.nat({ max: 99 }), { nil: null, freq: 5 })
const time = fc.oneof(fc.nat({ max: 400_000 }), fc.constantFrom(0, 99_999, 200_000, 200_001))
const steps = { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom(...lifeSteps) }) }
const put = { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value, at: time }) }

const base = { name: 's', key: string(), value: int64() }
const kinds = {
  'key-value': {
    spec: stores.keyValue(base),
    put: (store: StateStore, k: string, v: number | null) => (store as KeyValueStore<string, number>).put(k, v),
    read: (store: StateStore) => {
      const s = store as KeyValueStore<string, number>
      return [[...s.all()], [...s.range('a', 'b', { reverse: true })], [...s.prefixScan('a')], s.get('a'), s.get('é')]
    },
  },
  window: {
    spec: stores.window({ ...base, windowSizeMs: 10, retentionMs: 200_000 }),
    put: (store: StateStore, k: string, v: number | null, at: number) =>
      (store as WindowStore<string, number>).put(k, v, at),
    read: (store: StateStore) => {
      const s = store as WindowStore<string, number>
      return [
        [...s.all()],
        [...s.fetchRange('a', 0, 300_000, { reverse: true })],
        s.fetch('a', 0),
        s.fetch('b', 200_000),
      ]
    },
  },
  session: {
    spec: stores.session({ ...base, retentionMs: 200_000 }),
    put: (store: StateStore, k: string, v: number | null, at: number) =>
      (store as SessionStore<string, number>).put({ key: k, window: { start: Math.max(0, at - 10), end: at } }, v),
    read: (store: StateStore) => {
      const s = store as SessionStore<string, number>
      return [[...s.all()], [...s.fetch('a', { reverse: true })], s.fetchSession('a', 0, 0)]
    },
  },
  versioned: {
    spec: stores.versioned({ ...base, historyRetentionMs: 100_000 }),
    put: (store: StateStore, k: string, v: number | null, at: number) =>
      void (store as VersionedKeyValueStore<string, number>).put(k, v, at),
    read: (store: StateStore) => {
      const s = store as VersionedKeyValueStore<string, number>
      return ['a', 'b'].map((k) => [s.get(k), s.get(k, 150_000), s.history(k)])
    },
  },
}

for (const [name, { spec, put: write, read }] of Object.entries(kinds)) {
  for (const cached of name === 'versioned' ? [false] : [false, true]) {
    describe(`views of a ${name} store${cached ? ' behind the record cache' : ''}`, () => {
      test('show what is committed, or what the store itself shows, whatever is aborted or re-opened', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(fc.oneof(put, steps), { maxLength: 30 }), async (commands) => {
            const cache = cached ? new RecordCache(100_000) : null
            const bench = new StoreBench({ ...spec, caching: cached }, 'file', cache, false)
            let committed = read(viewOf(bench.store, 'read_committed'))
            for (const command of commands) {
              if (command.kind === 'put') {
                // The record cache goes on showing what has expired below it, as Java's does.
                write(bench.store, command.key, command.value, cached ? command.at % 150_000 : command.at)
              } else {
                if (command.kind === 'commit') bench.store.flushCache()
                await live(bench, { commit: () => undefined, abort: () => undefined }, command.kind)
                // Nothing is open after these: the store shows what is committed.
                if (command.kind === 'commit' || command.kind === 'abort' || command.kind === 'reopen') {
                  const now = read(bench.store)
                  if (command.kind === 'abort') expect(now).toEqual(committed)
                  committed = now
                }
              }
              expect(read(viewOf(bench.store, 'read_committed')), 'committed').toEqual(committed)
              expect(read(viewOf(bench.store, 'read_uncommitted')), 'uncommitted').toEqual(read(bench.store))
            }
            bench.close()
          }),
          { numRuns: 60 },
        )
      })
    })
  }
}

test('a view takes nothing, and reading it does not change what the record cache evicts next', () => {
  const cache = new RecordCache(200)
  const spec = { ...stores.keyValue({ ...base, timestamped: true }), caching: true }
  const bench = new StoreBench(spec, 'memory', cache, false)
  const store = bench.store as TimestampedKeyValueStore<string, number>
  const handedOn: string[] = []
  store.onChange((k) => void handedOn.push(k), false)
  store.put('a', 1, 0)
  const view = viewOf(store, 'read_uncommitted') as TimestampedKeyValueStore<string, number>
  expect(view.get('a')).toEqual({ value: 1, timestampMs: 0 })
  expect(view.get('b')).toBeNull()
  for (const k of 'bcdefgh') {
    view.get('a')
    store.put(k, 1, 0)
  }
  expect(handedOn[0]).toBe('a')
  expect(() => view.put('a', 2, 0)).toThrow('can only be read here')
  bench.close()
})
