import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { Streams, StreamsBuilder, string } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { metricsText, registerMetrics } from 'stream-core/metrics'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMetrics, startupState } from '../src/metrics.ts'

let folder: string
let streams: Streams
let close: () => Promise<void>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tally-metrics-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
  const builder = new StreamsBuilder()
  builder.table('in', { key: string(), value: string(), store: { name: 'table "quoted"'.replace(/[^a-z]/g, '-') } })
  streams = new Streams({ topology: builder.build(), applicationId: 'm', broker, stateDir: folder })
  await streams.start()
  close = async () => {
    await streams.close()
    await broker.close()
  }
})
afterAll(async () => {
  await close()
  rmSync(folder, { recursive: true })
})

const namesOf = (text: string): string[] => [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!)

test('a registry of prom-client prints what the library prints by itself', async () => {
  const registry = new Registry()
  registerMetrics(registry, streams)
  const printed = await registry.metrics()
  expect(namesOf(printed)).toEqual(namesOf(metricsText(streams)))
  expect(printed).toContain('streams_state{state="running"} 1')
  expect(printed).toContain('streams_state{state="failed"} 0')
  expect(printed).toContain('streams_persist_duration_seconds_bucket{le="+Inf"}')
  expect(await registry.getMetricsAsJSON()).toHaveLength(namesOf(printed).length)
  registry.resetMetrics() // does nothing to what the library counts
  expect(await registry.metrics()).toContain('streams_state{state="running"} 1')
})

test('names are right in the format of OpenMetrics, too', async () => {
  const registry = new Registry()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  registerMetrics(registry, streams)
  const printed = await registry.metrics()
  expect(printed).toContain('# TYPE streams_rebalances counter')
  expect(printed).toContain('\nstreams_rebalances_total{reason="started"} 1\n')
  expect(printed).not.toContain('total_total')
})

test('a prefix makes room for a second instance in the same registry; without, the registry refuses', async () => {
  const registry = openMetrics(streams)
  registerMetrics(registry, streams, { prefix: 'second_' })
  expect(await registry.metrics()).toContain('second_state{state="running"} 1')
  expect(() => registerMetrics(registry, streams)).toThrow(/streams_info/)
  expect(() => registerMetrics(registry, streams, { prefix: '1x' })).toThrow(/prefix "1x" cannot begin/)
})

test('a start tells its state, and of each task that is restored what is left and how long it takes', async () => {
  expect(await startupState(openMetrics(streams), streams)).toEqual({ state: 'running', restoring: [] })
  const values = (value: number) => [{ labels: { task: '0_1' }, value }]
  const restoring = {
    getMetricsAsJSON: async () => [
      { name: 'streams_restore_remaining_records', values: values(81_000) },
      { name: 'streams_restore_eta_seconds', values: values(4.2) },
    ],
  } as unknown as Registry
  expect(await startupState(restoring, { state: 'restoring' } as Streams)).toEqual({
    state: 'restoring',
    restoring: [{ task: '0_1', recordsLeft: 81_000, secondsLeft: 4.2 }],
  })
})
