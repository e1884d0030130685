import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { int64, partitionForKey, Streams, StreamsBuilder, string } from 'stream-core'
import { kafkaBroker } from 'stream-core/kafka'
import { expect, test } from 'vitest'
import { startTcpProxy } from '../packages/stream-core/test/chaos/tcp-proxy.ts'
import { eventually, readAll } from '../packages/stream-core/test/support/log-records.ts'
import { freePorts, startLocalKafka } from '../scripts/local-kafka.ts'

const apis = { produce: 0, addPartitions: 24, addOffsets: 25, endTransaction: 26 }
const partitions = 4
const records = 4000

test('a commit is one transaction, whose records go to a broker in few requests', { timeout: 120_000 }, async () => {
  const [proxyPort] = await freePorts(1)
  const kafka = await startLocalKafka({ proxyPort: proxyPort! })
  const proxy = await startTcpProxy(proxyPort!, kafka.proxiedPort, () => 1)
  const stateDir = mkdtempSync(join(tmpdir(), 'kafka-counts-'))
  const direct = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  const proxied = kafkaBroker({ bootstrapServers: `127.0.0.1:${proxyPort}` })
  try {
    await direct.admin.createTopics(['in', 'out'].map((topic) => ({ topic, partitions })))
    const producer = await direct.openProducer()
    for (let i = 0; i < records; i++) {
      const key = Buffer.from(`k${i % 100}`)
      producer.append('in', partitionForKey(key, partitions), key, Buffer.from('v'), 1000 + i)
    }
    await producer.flush()
    await producer.close()
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: string(), value: string() })
      .selectKey((key) => `${key}-again`, { key: string() })
      .groupByKey({ name: 'again', value: string() })
      .count({ store: { name: 'counts' } })
      .toStream()
      .to('out', { key: string(), value: int64() })
    const streams = new Streams({
      topology: builder.build(),
      applicationId: 'counts',
      broker: proxied,
      stateDir,
      commitIntervalMs: 500,
    })
    await streams.start()
    await eventually('all are counted', async () => lastCounts(await readAll(direct, 'out')) === records, 60_000)
    await streams.close()

    const asked = (key: number): number => proxy.requests.get(key) ?? 0
    const commits = asked(apis.endTransaction)
    expect(commits).toBeGreaterThan(1)
    // Transactions of version 2 (KIP-890): the broker adds the partitions by itself.
    expect([asked(apis.addPartitions), asked(apis.addOffsets)]).toEqual([0, 0])
    // 16 partitions are written to. What is sent before the commit, to keep the log busy, is one more, and again at the end.
    expect(asked(apis.produce)).toBeLessThanOrEqual(4 * commits)
  } finally {
    await direct.close()
    await proxied.close()
    await proxy.stop()
    await kafka.stop()
    rmSync(stateDir, { recursive: true, force: true })
  }
})

/** The last count of each key, summed up. */
function lastCounts(output: readonly { readonly key: string | null; readonly value: string | null }[]): number {
  const last = new Map(output.map(({ key, value }) => [key, value]))
  return [...last.values()].reduce(
    (sum, value) => sum + Number(Buffer.from(value as string, 'latin1').readBigInt64BE()),
    0,
  )
}
