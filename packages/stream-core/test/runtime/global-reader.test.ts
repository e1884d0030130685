import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, BrokerError, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually } from '../support/log-records.ts'

const run = async (failure: BrokerError, check: (streams: Streams, broker: Broker) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'global-reader-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics(['in', 'names'].map((topic) => ({ topic, partitions: 1 })))
  let isFirst = true
  let hasFailed = false
  const faulty: Broker = {
    admin: broker.admin,
    openProducer: (options) => broker.openProducer(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
    openReader(options) {
      const reader = broker.openReader(options)
      if (!isFirst) return reader
      isFirst = false // the global table is read before anything else
      const poll = reader.poll.bind(reader)
      reader.poll = (maxWaitMs) => {
        if (hasFailed) return poll(maxWaitMs)
        hasFailed = true
        return Promise.reject(failure)
      }
      return reader
    },
  }
  const builder = new StreamsBuilder()
  builder.globalTable('names', { key: string(), value: string(), store: { name: 'names' } })
  builder.stream('in', { key: string(), value: string() }).forEach(() => undefined)
  const topology = builder.build()
  const streams = new Streams({ topology, applicationId: 'app', broker: faulty, stateDir: join(folder, 'state') })
  await streams.start().catch(() => undefined) // it may have ended before it ran
  await check(streams, broker)
  await streams.close()
  await broker.close()
  rmSync(folder, { recursive: true })
}

test('a global table goes on after a log that was away', () =>
  run(new BrokerError('BROKER_UNAVAILABLE', 'away', { retryable: true }), async (streams, broker) => {
    const producer = await broker.openProducer()
    producer.append('names', 0, 'k', 'v', 1000)
    await producer.flush()
    const names = streams.store('names', { kind: 'keyValue', key: string(), value: string() })
    await eventually('it is there', () => names.get('k') === 'v')
  }))

test('what a global table cannot go on after ends the application, once', () =>
  run(new BrokerError('OFFSET_OUT_OF_RANGE', 'cut', { retryable: false }), async (streams) => {
    expect(await streams.stopped).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  }))
