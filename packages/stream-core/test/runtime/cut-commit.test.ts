import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, int64, type LogProducer, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'cut-commit-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function open(broker: Broker, at: string): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('in', { key: string(), value: string() })
    .groupByKey()
    .count({ store: { name: 'counts' } })
    .toStream()
    .to('out', { key: string(), value: int64() })
  return new Streams({
    topology: builder.build(),
    applicationId: 'app',
    broker,
    stateDir: join(at, 'state'),
    commitIntervalMs: 10,
    heartbeatIntervalMs: 20,
  })
}

async function write(broker: Broker): Promise<void> {
  const producer = await broker.openProducer()
  producer.append('in', 0, 'k', 'v', 1000)
  await producer.flush()
  await producer.close()
}

/** Calls `beforeEnd` when what a transaction has written is on disk, and its end is not. */
function interrupted(broker: Broker, beforeEnd: () => void): Broker {
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
        nextOffset: (topic, partition) => inner.nextOffset(topic, partition),
        sendOffsets: (group, offsets) => inner.sendOffsets(group, offsets),
        commit: async () => {
          await inner.flush()
          beforeEnd()
          await inner.commit()
        },
        abort: () => inner.abort(),
        commitOffsets: (group, offsets) => inner.commitOffsets(group, offsets),
        close: () => inner.close(),
      }
      return producer
    },
  }
}

test('state that is ahead of a log which lost the end of its last transaction is not used', async () => {
  const running = join(folder, 'running')
  const image = join(folder, 'image')
  for (const path of [running, image]) mkdirSync(path)
  const broker = await openEmbeddedLog({ path: join(running, 'log.db') })
  await broker.admin.createTopics(['in', 'out'].map((topic) => ({ topic, partitions: 1 })))
  let isLast = false
  const first = open(
    interrupted(broker, () => {
      // As the log lies on the disk at this moment.
      if (isLast) for (const name of ['log.db', 'log.db-wal']) copyFileSync(join(running, name), join(image, name))
    }),
    running,
  )
  await first.start()
  for (let count = 1; count <= 3; count++) {
    isLast = count === 3
    await write(broker)
    await eventually('counted', async () => (await readAll(broker, 'out')).length === count)
  }
  isLast = false
  await first.close()
  await broker.close()
  // The disk of the state kept what that of the log has lost.
  cpSync(join(running, 'state'), join(image, 'state'), { recursive: true })

  const again = await openEmbeddedLog({ path: join(image, 'log.db') })
  const second = open(again, image)
  await second.start()
  await eventually('counted again', async () => (await readAll(again, 'out')).length === 3)
  expect([...second.store('counts', { kind: 'keyValue', key: string(), value: int64() }).all()]).toEqual([['k', 3]])
  await second.close()
  await again.close()
})
