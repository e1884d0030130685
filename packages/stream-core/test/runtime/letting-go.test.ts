import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, type Record, Streams, StreamsBuilder, type StreamsOptions, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

const strings = { key: string(), value: string() }
let folder: string
let broker: Broker
/** Readers and producers that an application has open. */
let open: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'letting-go-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  open = 0
  await broker.admin.createTopics(['in', 'out', 'names'].map((topic) => ({ topic, partitions: 2 })))
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function counted<T extends { close(): Promise<void> }>(closable: T): T {
  open++
  const close = closable.close.bind(closable)
  let isOpen = true
  closable.close = () => {
    if (isOpen) open--
    isOpen = false
    return close()
  }
  return closable
}

/** Fails on "fail"; its processors do not close well. */
function make(options: Partial<StreamsOptions> = {}): Streams {
  const builder = new StreamsBuilder()
  const names = builder.globalTable('names', { ...strings, store: { name: 'names' } })
  const input = builder.stream('in', strings)
  input.process(() => ({
    process({ value }: Record<string, string>) {
      if (value === 'fail') throw new Error('it has failed')
    },
    close() {
      throw new Error('it does not close')
    },
  }))
  input.join(names, (value, name) => value + name, { mapKey: (key) => key }).to('out', { value: string() })
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker: {
      admin: broker.admin,
      openReader: (reading) => counted(broker.openReader(reading)),
      openProducer: async (producing) => counted(await broker.openProducer(producing)),
      openGroupMember: (member) => broker.openGroupMember(member),
      close: () => Promise.resolve(),
    },
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
    ...options,
  })
}

async function write(topic: string, value: string): Promise<void> {
  const producer = await broker.openProducer()
  for (const partition of [0, 1]) producer.append(topic, partition, Buffer.from('k'), Buffer.from(value), 1000)
  await producer.flush()
  await producer.close()
}

test('what ran and is replaced lets go of everything, also if a processor does not close', async () => {
  const openAtFailures: number[] = []
  const streams = make({
    uncaughtErrorHandler: () => {
      openAtFailures.push(open)
      return openAtFailures.length < 3 ? 'replace-thread' : 'shut-down-client'
    },
  })
  await streams.start()
  await write('in', 'fail')
  expect(String(await streams.stopped)).toContain('it has failed')
  expect(openAtFailures).toEqual([4, 4, 4]) // of inputs, of state, of the global table; and a producer
  expect(open).toBe(0)
  make().cleanUp() // the folder is free
})

test('an instance whose processors do not close has committed, and lets go of everything', async () => {
  await write('names', '-name')
  const streams = make()
  await streams.start()
  await write('in', 'fine')
  await eventually('both are there', async () => (await readAll(broker, 'out')).length === 2)
  await streams.close()
  expect(String(await streams.stopped)).toContain('it does not close')
  expect(open).toBe(0)
  make().cleanUp()
})

test('a close ends the reading of a global table that does not come to its end', async () => {
  await write('names', 'a name')
  const polls: number[] = []
  const streams = make({
    broker: {
      admin: broker.admin,
      openReader: (options) => {
        const reader = broker.openReader(options)
        reader.poll = (maxWaitMs) => {
          polls.push(maxWaitMs)
          return new Promise((resolve) => setTimeout(() => resolve([]), 20)) // a log that is away
        }
        return reader
      },
      openProducer: (options) => broker.openProducer(options),
      openGroupMember: (options) => broker.openGroupMember(options),
      close: () => Promise.resolve(),
    },
  })
  const started = streams.start().catch(String)
  await eventually('it reads', () => polls.length > 1)
  expect(await streams.close({ timeoutMs: 5000 })).toBe(true)
  expect(await started).toContain('closed before it was running')
  expect(await streams.stopped).toBe(null)
})

test('a close may wait for ever', async () => {
  const streams = make()
  await streams.start()
  expect(await streams.close({ timeoutMs: Infinity })).toBe(true)
})
