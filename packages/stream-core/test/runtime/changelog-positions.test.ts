import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, type LogProducer, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
let broker: Broker
const changelog = 'app-table-changelog'

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'changelog-positions-'))
  broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'in', partitions: 1 }])
})
afterEach(async () => {
  await broker.close()
  rmSync(folder, { recursive: true })
})

function open(on: Broker): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .reduce((_old, value) => value, { store: { name: 'table' } })
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker: on,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 10,
    heartbeatIntervalMs: 20,
  })
}

const rows = (streams: Streams): object =>
  Object.fromEntries(streams.store('table', { kind: 'keyValue', key: string(), value: string() }).all())

async function write(topic: string, key: string, value: string): Promise<void> {
  const producer = await broker.openProducer()
  producer.append(topic, 0, key, value, 1000)
  await producer.flush()
  await producer.close()
}

/** A producer whose acknowledgements do not say where, and to which something happens once it has committed. */
function silent(afterCommit: () => Promise<void>): Broker {
  return {
    admin: broker.admin,
    openReader: (options) => broker.openReader(options),
    openGroupMember: (options) => broker.openGroupMember(options),
    close: () => Promise.resolve(),
    async openProducer(options) {
      const inner = await broker.openProducer(options)
      const producer: LogProducer = {
        append: inner.append.bind(inner),
        flush: () => inner.flush(),
        pendingBytes: 0,
        nextOffset: () => -1,
        sendOffsets: (group, offsets) => inner.sendOffsets(group, offsets),
        commit: async () => {
          await inner.commit()
          await afterCommit()
        },
        abort: () => inner.abort(),
        commitOffsets: (group, offsets) => inner.commitOffsets(group, offsets),
        close: () => inner.close(),
      }
      return producer
    },
  }
}

test('a commit that is not told its offsets does not take what others write behind it for its own', async () => {
  // Whoever was given the task while this process was stopped, right behind its commit.
  let isCommitted = false
  const first = open(
    silent(async () => {
      if (isCommitted) return
      isCommitted = true
      await write(changelog, 'theirs', 'unseen')
    }),
  )
  await first.start()
  await write('in', 'ours', 'seen')
  await eventually('committed', () => isCommitted)
  await first.close()

  const second = open(broker)
  await second.start()
  expect((await readAll(broker, changelog)).map(({ key }) => key)).toEqual(['ours', 'theirs'])
  expect(Object.keys(rows(second))).toEqual(['ours', 'theirs'])
  await second.close()
})
