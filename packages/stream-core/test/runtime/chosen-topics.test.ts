import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { Streams, StreamsBuilder, string, type StreamsOptions } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

const strings = { key: string(), value: string() }

/** Sends each record to the topic that its value names. */
async function running(
  options: Partial<StreamsOptions>,
  check: (streams: Streams, sent: () => Promise<readonly (string | null)[]>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'chosen-topics-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'in', partitions: 1 },
    { topic: 'known', partitions: 1 },
  ])
  const builder = new StreamsBuilder()
  builder
    .stream('in', strings)
    .filter(() => true)
    .to((_key, value) => value, { name: 'by-value' })
  const streams = new Streams({
    topology: builder.build(),
    applicationId: 'chosen',
    broker,
    stateDir: join(folder, 'state'),
    commitIntervalMs: 5,
    ...options,
  })
  try {
    await streams.start()
    const producer = await broker.openProducer()
    for (const value of ['nowhere', 'known']) producer.append('in', 0, null, Buffer.from(value), 0)
    await producer.flush()
    await producer.close()
    await check(streams, async () => (await readAll(broker, 'known')).map(({ value }) => value))
  } finally {
    await streams.close()
    await broker.close()
    rmSync(folder, { recursive: true })
  }
}

test('a topic that is chosen and does not exist stops the application, named with its sink and the way out', async () => {
  await running({}, async (streams) => {
    const failure = await streams.stopped
    expect(failure).toMatchObject({ code: 'PROCESSING_FAILED', nodeName: 'by-value' })
    expect(failure!.message).toMatch(
      /sink "by-value" chose the topic "nowhere".*none that was found at the start: create it/,
    )
  })
})

test('the handler may go on without such a record', async () => {
  await running({ processingHandler: () => 'continue' }, async (_streams, sent) => {
    await eventually('the record after it', async () => (await sent()).join() === 'known')
  })
})
