import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type KeyValueStore, stores, Streams, StreamsBuilder, type StreamsOptions, string } from '../../src/index.ts'
import { metricsText } from '../../src/metrics.ts'
import { eventually } from '../support/log-records.ts'

/** Puts each value; `hold` begins a range, `leave` leaves it, `read` reads one to its end. */
function topology() {
  const builder = new StreamsBuilder()
  builder.addStateStore(stores.keyValue({ name: 'seen', key: string(), value: string() }))
  builder.stream('in', { key: string(), value: string() }).process(
    () => {
      let seen: KeyValueStore<string, string>
      let held: Generator | null = null
      return {
        init: (context) => void (seen = context.getStateStore('seen')),
        process({ value }) {
          seen.put(value, 'x')
          if (value === 'hold') (held = seen.all()).next()
          if (value === 'leave') held!.return(undefined)
          if (value === 'read') expect([...seen.range('a', 'b')].length).toBe(1)
        },
      }
    },
    { name: 'look', stores: ['seen'] },
  )
  return builder.build()
}

async function processed(
  options: Partial<StreamsOptions>,
  steps: readonly (readonly [values: readonly string[], check: (metrics: ReadonlyMap<string, number>) => void])[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'store-times-test-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
  const streams = new Streams({
    topology: topology(),
    applicationId: 'app',
    broker,
    stateDir: join(folder, 'state'),
    ...options,
  })
  await streams.start()
  const producer = await broker.openProducer()
  let count = 0
  for (const [values, check] of steps) {
    for (const value of values) producer.append('in', 0, null, Buffer.from(value), 1000 + count++)
    await producer.flush()
    await eventually(
      `${count} are processed`,
      () => read(streams).get('streams_records_processed_total{task="0_0"}') === count,
    )
    // The slice is counted when it has ended.
    await new Promise((resolve) => setImmediate(resolve))
    check(read(streams))
  }
  await streams.close()
  await broker.close()
  rmSync(folder, { recursive: true })
}

const read = (streams: Streams): ReadonlyMap<string, number> =>
  new Map(
    metricsText(streams)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )

const calls = (metrics: ReadonlyMap<string, number>, op: string): number | undefined =>
  metrics.get(`streams_store_op_duration_seconds_count{store="seen",op="${op}"}`)

test('with debug each call of a store is timed, and a range is open until it is left', async () => {
  await processed({ metricsLevel: 'debug' }, [
    [
      ['a', 'hold', 'read'],
      (metrics) => {
        expect(calls(metrics, 'put')).toBe(3)
        expect(calls(metrics, 'range')).toBe(1)
        expect(calls(metrics, 'all')).toBeUndefined()
        expect(metrics.get('streams_open_iterators{store="seen"}')).toBe(1)
      },
    ],
    [
      ['leave'],
      (metrics) => {
        expect(calls(metrics, 'all')).toBe(1)
        expect(metrics.get('streams_open_iterators{store="seen"}')).toBe(0)
      },
    ],
  ])
})

test('without debug stores are not timed; slices, polls and what was consumed are counted all the same', async () => {
  await processed({}, [
    [
      ['a', 'b'],
      (metrics) => {
        expect([...metrics.keys()].filter((key) => key.startsWith('streams_store_op'))).toEqual([])
        expect(metrics.get('streams_records_consumed_total{topic="in",partition="0"}')).toBe(2)
        expect(metrics.get('streams_process_duration_seconds_count')).toBeGreaterThan(0)
        expect(metrics.get('streams_process_duration_seconds_sum')).toBeGreaterThan(0)
        expect(metrics.get('streams_poll_interval_seconds_count')).toBeGreaterThan(0)
        expect(metrics.get('streams_watermark_gap_seconds{task="0_0"}')).toBeGreaterThan(1_000_000)
        expect(metrics.get('streams_fenced_total')).toBe(0)
      },
    ],
  ])
})

test('a level that does not exist is named', async () => {
  await expect(processed({ metricsLevel: 'trace' as never }, [])).rejects.toThrow(
    `metricsLevel must be 'info' or 'debug'; got "trace"`,
  )
})
