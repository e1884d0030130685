import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Broker,
  int64,
  int64Big,
  json,
  partitionForKey,
  type ReadOnlyKeyValueStore,
  sessionWindows,
  StoreNotAvailableError,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  string,
  timeWindows,
  type Topology,
} from '../../src/index.ts'
import { eventually } from '../support/log-records.ts'

export interface QueryHarness {
  readonly broker: Broker
  cleanup(): Promise<void>
}

const partitions = 4
const words = Array.from({ length: 24 }, (_, i) => `word-${i}`)

/** What holds for queries, on either log. */
export function describeQueries(name: string, open: () => Promise<QueryHarness>): void {
  describe(`queries of an application on ${name}`, () => {
    let harness: QueryHarness
    let broker: Broker
    let folder: string
    let app: string
    let counter = 0
    const running = new Set<Streams>()

    beforeAll(async () => {
      harness = await open()
      broker = harness.broker
    })
    afterAll(() => harness?.cleanup())
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'queries-test-'))
      app = `queries-${process.pid}-${counter++}`
      await broker.admin.createTopics([
        { topic: `${app}-words`, partitions },
        { topic: `${app}-names`, partitions: 2 },
      ])
    })
    afterEach(async () => {
      await Promise.all([...running].map((streams) => streams.close()))
      running.clear()
      rmSync(folder, { recursive: true })
    })

    function topology(): Topology {
      const builder = new StreamsBuilder()
      const grouped = builder.stream(`${app}-words`, { key: string(), value: string() }).groupByKey()
      grouped.count({ store: { name: 'counts' } })
      grouped.windowedBy(timeWindows({ size: 100 })).count({ store: { name: 'per-window', retentionMs: 60_000 } })
      grouped.windowedBy(sessionWindows({ gap: 50 })).count({ store: { name: 'per-session', retentionMs: 60_000 } })
      grouped.reduce((_a, b) => b, { store: { name: 'latest', versioned: { historyRetentionMs: 60_000 } } })
      builder.globalTable(`${app}-names`, { key: string(), value: string(), store: { name: 'names' } })
      return builder.build()
    }

    let port = 5000
    const instance = (stateDir: string, options: Partial<StreamsOptions> = {}): Streams => {
      const streams = new Streams({
        topology: topology(),
        applicationId: app,
        broker,
        stateDir: join(folder, stateDir),
        commitIntervalMs: 10,
        heartbeatIntervalMs: 200,
        sessionTimeoutMs: 6000,
        endpoint: `127.0.0.1:${++port}`,
        ...options,
      })
      running.add(streams)
      return streams
    }

    async function write(topic: string, rows: readonly (readonly [string, string, number])[], width = partitions) {
      const producer = await broker.openProducer()
      for (const [key, value, timestampMs] of rows) {
        const bytes = Buffer.from(key)
        producer.append(`${app}-${topic}`, partitionForKey(bytes, width), bytes, Buffer.from(value), timestampMs)
      }
      await producer.flush()
      await producer.close()
    }
    const writeWords = (times: number, timestampMs = 1000): Promise<void> =>
      write(
        'words',
        Array.from({ length: times }, (_, i) => words.map((word) => [word, `v${i}`, timestampMs] as const)).flat(),
      )

    const countsOf = (streams: Streams, query = {}): ReadOnlyKeyValueStore<string, number> =>
      streams.store('counts', { kind: 'keyValue', key: string(), value: int64(), ...query })
    const isShared = (...all: readonly Streams[]): boolean =>
      all.every(
        (streams) =>
          streams.state === 'running' &&
          streams.metadataForStore('counts').length === all.length &&
          streams.describeState().tasks.filter(({ phase }) => phase === 'running').length === partitions / all.length,
      )

    test('every kind of store is read by keys, ranges and times, backwards too', async () => {
      const streams = instance('a')
      await streams.start()
      await write('names', [['x', 'Ann', 1]], 2)
      await writeWords(2, 1000)
      await writeWords(1, 1120)
      const counts = countsOf(streams)
      await eventually('all are counted', () => words.every((word) => counts.get(word) === 3))
      const sorted = words.toSorted()
      expect([...counts.all()]).toEqual(sorted.map((word) => [word, 3]))
      expect([...counts.range('word-10', 'word-12', { reverse: true })].map(([key]) => key)).toEqual([
        'word-12',
        'word-11',
        'word-10',
      ])
      expect([...counts.prefixScan('word-2', { reverse: true })].map(([key]) => key)).toEqual(
        sorted.filter((word) => word.startsWith('word-2')).toReversed(),
      )
      expect(counts.approximateNumEntries()).toBe(24)
      expect(counts.get('nobody')).toBeNull()
      const timed = streams.store('counts', { kind: 'timestampedKeyValue', key: string(), value: int64() })
      expect(timed.get('word-1')).toEqual({ value: 3, timestampMs: 1120 })

      const perWindow = streams.store('per-window', { kind: 'window', key: string(), value: int64() })
      expect(perWindow.fetch('word-1', 1000)).toBe(2)
      expect([...perWindow.fetchRange('word-1', 0, 2000, { reverse: true })]).toEqual([
        [1100, 1],
        [1000, 2],
      ])
      expect([...perWindow.fetchAll(1000, 1000)]).toHaveLength(24)
      expect([...perWindow.all()]).toHaveLength(48)
      const timedWindows = streams.store('per-window', { kind: 'timestampedWindow', key: string(), value: int64() })
      expect(timedWindows.fetch('word-1', 1100)).toEqual({ value: 1, timestampMs: 1120 })

      const perSession = streams.store('per-session', { kind: 'session', key: string(), value: int64() })
      expect([...perSession.fetch('word-1')].map(([{ window }, count]) => [window.start, window.end, count])).toEqual([
        [1000, 1000, 2],
        [1120, 1120, 1],
      ])
      expect(perSession.fetchSession('word-1', 1000, 1000)).toBe(2)

      const latest = streams.store('latest', { kind: 'versioned', key: string(), value: string() })
      expect(latest.get('word-1', 1050)).toEqual({ value: 'v1', timestampMs: 1000, validToMs: 1120 })
      expect(latest.get('word-1')).toEqual({ value: 'v0', timestampMs: 1120, validToMs: null })
      expect(latest.history('word-1')).toHaveLength(2)

      const names = streams.store('names', { kind: 'keyValue', key: string(), value: string() })
      await eventually('the name is there', () => names.get('x') === 'Ann')
      expect(streams.metadataForKey('names', 'x')).toMatchObject({ partition: null, active: { isLocal: true } })
      const only = partitionForKey(Buffer.from('word-1'), partitions)
      expect(countsOf(streams, { partitions: [only] }).get('word-1')).toBe(3)
      expect(countsOf(streams, { partitions: [(only + 1) % partitions] }).get('word-1')).toBeNull()
    })

    test('each instance answers for its own keys, says who has the others, and one that is gone is not asked for long', async () => {
      const first = instance('a')
      await first.start()
      await writeWords(1)
      await eventually('all are counted', () => words.every((word) => countsOf(first).get(word) === 1))
      const second = instance('b')
      await second.start()
      await eventually('both have half', () => isShared(first, second))
      for (const word of words) {
        const { partition, active, standbys } = first.metadataForKey('counts', word)
        expect(partition).toBe(partitionForKey(Buffer.from(word), partitions))
        expect(second.metadataForKey('counts', word).active).toEqual({ ...active, isLocal: !active!.isLocal })
        expect(standbys).toEqual([])
        const [owner, other] = active!.isLocal ? [first, second] : [second, first]
        expect(countsOf(owner).get(word)).toBe(1)
        expect(() => countsOf(other).get(word)).toThrow(
          expect.objectContaining({
            code: 'STORE_NOT_AVAILABLE',
            retryable: true,
            partition,
            endpoint: active!.endpoint,
          }),
        )
      }
      const both = [first, second].flatMap((streams) => [...countsOf(streams).all()])
      expect(both).toHaveLength(24)
      expect(
        first
          .metadataForStore('counts')
          .flatMap(({ activePartitions }) => activePartitions)
          .toSorted((a, b) => a - b),
      ).toEqual([0, 1, 2, 3])
      await second.close()
      expect(() => countsOf(second).get('word-1')).toThrow('this instance is closed')
      await eventually('the first has all', () => isShared(first))
      expect([...countsOf(first).all()]).toHaveLength(24)
    })

    test('while tasks move and records come, a query is answered rightly or refused', async () => {
      const instances = [instance('a')]
      await instances[0]!.start()
      const rounds = 60
      let answers = 0
      let refusals = 0
      const least = new Map<string, number>()
      let isOver = false
      const look = (streams: Streams): void => {
        for (const word of words) {
          try {
            const count = countsOf(streams).get(word)
            // Counts only grow: less than what was shown before would have been wrong then, or now.
            expect(count ?? 0, word).toBeGreaterThanOrEqual(least.get(word) ?? 0)
            least.set(word, count ?? 0)
            answers++
          } catch (error) {
            if (!(error instanceof StoreNotAvailableError)) throw error
            refusals++
          }
        }
      }
      const asking = (async () => {
        while (!isOver) {
          for (const streams of instances) look(streams)
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      })()
      for (let round = 0; round < rounds; round++) {
        await writeWords(1)
        if (round === 10 || round === 30) {
          const next = instance(`i${round}`)
          instances.push(next)
          await next.start()
        }
        if (round === 45) await instances.shift()!.close()
      }
      await eventually('all are counted', () => words.every((word) => least.get(word) === rounds), 60_000)
      isOver = true
      await asking
      expect(answers).toBeGreaterThan(100)
      expect(refusals).toBeGreaterThan(0)
    })

    test('standbys are read when that is asked for, within a lag, and an iterator ends with an error when its task goes', async () => {
      const first = instance('a', { standbyReplicas: 1 })
      await first.start()
      await writeWords(3)
      await eventually('all are counted', () => words.every((word) => countsOf(first).get(word) === 3))
      const second = instance('b', { standbyReplicas: 1 })
      const starting = second.start()
      // What is within the lag is right, from the first answer on.
      const near = countsOf(second, { allowStale: { maxLag: 0 } })
      const isNear = (word: string): boolean => {
        try {
          expect(near.get(word)).toBe(3)
          return true
        } catch (error) {
          if (error instanceof StoreNotAvailableError) return false
          throw error
        }
      }
      await eventually('copies are known to be complete', () => words.filter(isNear).length === words.length)
      await starting
      await eventually('both have half', () => isShared(first, second))
      const stale = countsOf(second, { allowStale: true })
      await eventually('copies have caught up', () => words.every((word) => stale.get(word) === 3))
      expect([...stale.all()]).toHaveLength(24)
      const theirs = words.find((word) => first.metadataForKey('counts', word).active!.isLocal)!
      expect(first.metadataForKey('counts', theirs).standbys).toMatchObject([{ isLocal: false }])
      expect(() => countsOf(second).get(theirs)).toThrow(StoreNotAvailableError)
      const lags = await second.allLocalStoreLags()
      expect(
        lags
          .filter(({ store }) => store === 'counts')
          .map(({ phase }) => phase)
          .toSorted(),
      ).toEqual(['running', 'running', 'standby', 'standby'])
      expect(lags.every(({ lag, phase }) => phase !== 'running' || lag === 0)).toBe(true)

      const rows = countsOf(second).all()[Symbol.iterator]()
      expect(rows.next().done).toBe(false)
      await second.close()
      expect(() => rows.next()).toThrow(StoreNotAvailableError)
    })

    test('a query that does not fit is refused with what would', async () => {
      const streams = instance('a')
      expect(() => streams.store('count', { kind: 'keyValue' })).toThrow(
        'there is no store "count" (a string); there are "counts"',
      )
      expect(() => streams.store('counts', { kind: 'window' })).toThrow(
        `is read with kind: 'keyValue' or 'timestampedKeyValue'`,
      )
      expect(() => streams.store('counts', { kind: 'keyValue', value: json() })).toThrow('written by int64; got json')
      expect(() => streams.store('counts', { kind: 'keyValue', value: int64Big() })).toThrow('give different types')
      expect(() => streams.store('counts', { kind: 'keyValue', stale: true } as never)).toThrow('no option "stale"')
      expect(() => streams.store('counts', { kind: 'keyValue', allowStale: { maxLag: -1 } })).toThrow('maxLag')
      expect(() => countsOf(streams).get('x')).toThrow('this instance is created')
      expect(() => new Streams({ topology: topology(), applicationId: 'x', broker, endpoint: 'http://x:1' })).toThrow(
        'endpoint must be host:port',
      )
      await streams.start()
      expect(() => countsOf(streams).get(5 as never)).toThrow('cannot have a key such as this')
      expect(() => countsOf(streams, { partitions: [9] }).get('x')).toThrow('partitions 0 to 3')
      expect('put' in countsOf(streams)).toBe(false)
    })
  })
}
