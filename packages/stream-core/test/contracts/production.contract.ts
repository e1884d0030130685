import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broker, Streams, StreamsBuilder, string, type StreamsOptions } from '../../src/index.ts'
import { eventually } from '../support/log-records.ts'
import { type BrokerHarness, bytes, ContractBench, values } from './contract-bench.ts'

/** What becomes of output that a topic does not take: both logs run these cases. */
export function describeProduction(name: string, open: () => Promise<BrokerHarness>): void {
  describe(`${name} refuses output`, () => {
    const bench = new ContractBench()
    const folder = mkdtempSync(join(tmpdir(), 'production-'))
    let harness: BrokerHarness
    let broker: Broker
    let counter = 0
    const large = 'x'.repeat(3000)

    beforeAll(async () => {
      harness = await open()
      broker = bench.broker = harness.broker
    })
    afterAll(async () => {
      await harness?.cleanup()
      rmSync(folder, { recursive: true })
    })

    /** An application that copies `in` to a topic of small messages, and counts in a store what it has seen. */
    async function application(options: Partial<StreamsOptions>) {
      const app = `production-${process.pid}-${counter++}`
      const [input, output, dead] = [`${app}-in`, `${app}-out`, `${app}-dead`]
      await broker.admin.createTopics([
        { topic: input, partitions: 1 },
        { topic: output, partitions: 1, configs: { 'max.message.bytes': '2000' } },
        { topic: dead, partitions: 1 },
      ])
      const builder = new StreamsBuilder({ defaults: { key: string(), value: string() } })
      builder.stream<string, string>(input).to(output, { name: 'copies' })
      const streams = new Streams({
        topology: builder.build(),
        applicationId: app,
        broker,
        stateDir: join(folder, 'state'),
        commitIntervalMs: 20,
        ...options,
        ...(options.deadLetterTopic !== undefined && { deadLetterTopic: dead }),
      })
      const producer = await broker.openProducer()
      const write = async (...written: string[]): Promise<void> => {
        for (const value of written) producer.append(input, 0, bytes('k'), bytes(value), 1000, [['trace', bytes('t')]])
        await producer.flush()
      }
      const read = async (topic: string) => {
        bench.topic = topic
        return bench.read()
      }
      return { streams, write, input, output, dead, read }
    }

    test('an application stops by default, and says which topic and why', async () => {
      const { streams, write, output } = await application({})
      await streams.start()
      await write('one', large)
      const error = await streams.stopped
      expect(error).toMatchObject({ code: 'BROKER_REFUSED', message: expect.stringContaining(`${output} partition 0`) })
    })

    for (const processingGuarantee of ['exactly-once', 'at-least-once'] as const) {
      test(`${processingGuarantee}: continue leaves it out and counts it, and the rest goes on`, async () => {
        const asked: object[] = []
        const { streams, write, input, output, read } = await application({
          processingGuarantee,
          productionHandler: (error, record) => {
            asked.push({ code: (error as { code?: string }).code, ...record })
            return 'continue'
          },
        })
        await streams.start()
        await write('one', large, 'two')
        await eventually('the rest', async () => (await read(output)).length === 2)
        await write('three')
        await eventually('what comes later', async () => (await read(output)).length === 3)
        expect(values(await read(output))).toEqual(['one', 'two', 'three'])
        const about = { topic: input, partition: 0, offset: 1, nodeName: 'copies', taskId: '0_0', outputTopic: output }
        expect(asked).toEqual([{ code: 'BROKER_REFUSED', ...about }])
        expect(streams.describeState().tasks[0]!.dropped).toEqual({ 'copies/production-failed': 1 })
        await streams.close()
      })
    }

    test('a dead letter holds the record it came from, in the same transaction', async () => {
      const { streams, write, input, output, dead, read } = await application({ deadLetterTopic: 'dead' })
      await streams.start()
      await write('one', large, 'two')
      await eventually('the rest', async () => (await read(output)).length === 2)
      await eventually('the dead letter', async () => (await read(dead)).length === 1)
      const [letter] = await read(dead)
      expect(letter).toMatchObject({ key: 'k', value: large, timestampMs: 1000 })
      expect(textOf(letter!.headers)).toMatchObject({
        trace: 't',
        '__streams.errors.exception': 'BrokerError',
        '__streams.errors.topic': input,
        '__streams.errors.offset': '1',
      })
      expect(await streams.close()).toBe(true)
      expect(
        await broker.admin.committedOffsets(input.slice(0, -3), [{ topic: input, partition: 0 }], {
          requireStable: true,
        }),
      ).toMatchObject([{ offset: 3 }])
    })

    test('a handler that decides nothing stops the application, and is named', async () => {
      const { streams, write } = await application({ productionHandler: (() => undefined) as never })
      await streams.start()
      await write(large)
      expect((await streams.stopped)?.message).toMatch(/the production handler must return .* asked about "copies"/)
    })
  })
}

const textOf = (headers: readonly (readonly [string, string | null])[]): { [name: string]: string | null } =>
  Object.fromEntries(headers)
