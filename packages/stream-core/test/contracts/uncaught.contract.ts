import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Broker,
  int64,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  type StreamsState,
  string,
} from '../../src/index.ts'
import { metricsText } from '../../src/metrics.ts'
import { eventually, readAll } from '../support/log-records.ts'
import type { BrokerHarness } from './contract-bench.ts'

/** What an application does after an error that nothing mends: both logs run these cases. */
export function describeUncaught(name: string, open: () => Promise<BrokerHarness>): void {
  describe(`after an error that nothing mends, on ${name}`, () => {
    let harness: BrokerHarness
    let broker: Broker
    let folder: string
    let app: string
    let counter = 0
    /** How often the record `boom` fails. */
    let failures = 0
    const running = new Set<Streams>()

    beforeAll(async () => {
      harness = await open()
      broker = harness.broker
    })
    afterAll(() => harness?.cleanup())
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'uncaught-test-'))
      app = `uncaught-${process.pid}-${counter++}`
      await broker.admin.createTopics([
        { topic: `${app}-in`, partitions: 2 },
        { topic: `${app}-out`, partitions: 1 },
      ])
    })
    afterEach(async () => {
      await Promise.all([...running].map((streams) => streams.close()))
      running.clear()
      rmSync(folder, { recursive: true })
    })

    function instance(stateDir: string, options: Partial<StreamsOptions> = {}): Streams {
      const builder = new StreamsBuilder()
      builder
        .stream(`${app}-in`, { key: string(), value: string() })
        .peek((_key, value) => {
          if (value === 'boom' && failures-- > 0) throw new Error('it went off')
        })
        .groupByKey()
        .count({ store: { name: 'counts' } })
        .toStream()
        .to(`${app}-out`, { value: int64() })
      const streams = new Streams({
        topology: builder.build(),
        applicationId: app,
        broker,
        stateDir: join(folder, stateDir),
        commitIntervalMs: 10,
        cacheMaxBytes: 0,
        heartbeatIntervalMs: 200,
        sessionTimeoutMs: 6000,
        ...options,
      })
      running.add(streams)
      return streams
    }

    async function write(...records: readonly string[]): Promise<void> {
      const producer = await broker.openProducer()
      for (const record of records) {
        const [partition, value] = record.split(' ') as [string, string]
        producer.append(`${app}-in`, Number(partition), Buffer.from(`key-${partition}`), Buffer.from(value), 1000)
      }
      await producer.flush()
      await producer.close()
    }

    const counts = async (): Promise<number[]> =>
      (await readAll(broker, `${app}-out`)).map(({ value }) => Number(Buffer.from(value!, 'latin1').readBigInt64BE()))
    const isCounted =
      (...expected: number[]) =>
      async (): Promise<boolean> =>
        (await counts()).sort((a, b) => a - b).join() === expected.join()

    test('replace-thread: it goes on from its last commit, each record counted once, as often as it takes', async () => {
      failures = 2
      const states: StreamsState[] = []
      const asked: string[] = []
      const streams = instance('a', {
        onStateChange: (state) => states.push(state),

        uncaughtErrorHandler: (error) => {
          asked.push(error.message)
          return 'replace-thread'
        },
      })
      await streams.start()
      await write('0 a', '0 b')
      await eventually('two', isCounted(1, 2))
      await write('0 c', '0 boom', '1 d')
      await eventually('all', isCounted(1, 1, 2, 3, 4))
      expect(asked).toEqual([expect.stringContaining('it went off'), expect.stringContaining('it went off')])
      expect(streams.state).toBe('running')
      expect(states.filter((state) => state === 'failed' || state === 'closed')).toEqual([])
      expect(states.filter((state) => state === 'restoring')).toHaveLength(3)
      expect(metricsText(streams)).toContain('streams_failed_stream_threads_total 2\n')
      expect(await streams.close()).toBe(true)
      expect(await streams.stopped).toBeNull()
    })

    test('an instance that waits for its replacement can be closed', async () => {
      failures = 1000
      const streams = instance('a', { uncaughtErrorHandler: () => 'replace-thread' })
      await streams.start()
      await write('0 boom')
      await eventually('three failures', async () => failures <= 997)
      const startMs = performance.now()
      expect(await streams.close()).toBe(true)
      expect(performance.now() - startMs).toBeLessThan(5000)
      expect(streams.state).toBe('closed')
    })

    test('shut-down-client, or a handler that fails: this one ends, and the other takes its tasks', async () => {
      failures = 1
      const fails = (): never => {
        throw new Error('no idea')
      }
      const [a, b] = [instance('a', { uncaughtErrorHandler: fails }), instance('b', { uncaughtErrorHandler: fails })]
      await Promise.all([a.start(), b.start()])
      const size = (streams: Streams): number => streams.describeState().tasks.length
      await eventually('one each', () => [a, b].every((each) => each.state === 'running' && size(each) === 1))
      await write('0 a', '0 boom', '0 c')
      await eventually('the count of the other', isCounted(1, 2, 3))
      expect([a.state, b.state].sort()).toEqual(['failed', 'running'])
    })

    test('shut-down-application: all end, and what is started later goes on where they were', async () => {
      failures = 1
      const uncaughtErrorHandler = () => 'shut-down-application' as const
      const all = ['a', 'b', 'c'].map((stateDir) => instance(stateDir, { uncaughtErrorHandler }))
      await Promise.all(all.map((streams) => streams.start()))
      await write('0 a', '1 b')
      await eventually('one of each', isCounted(1, 1))
      await write('1 boom')
      const errors = await Promise.all(all.map(({ stopped }) => stopped))
      expect(all.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed'])
      const codes = errors.map((error) => (error as { code?: string } | null)?.code ?? '')
      expect(codes.filter((code) => code === 'APPLICATION_SHUT_DOWN')).toHaveLength(2)
      expect(codes).toContain('PROCESSING_FAILED')
      expect(errors.every((error) => error!.message.includes('it went off'))).toBe(true)
      expect(await broker.admin.groupMembers(app)).toEqual([])
      const again = instance('a')
      await again.start()
      await write('0 c')
      await eventually('the rest', isCounted(1, 1, 2, 2))
    })
  })
}
