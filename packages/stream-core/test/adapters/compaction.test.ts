import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { eventually } from '../support/log-records.ts'

interface Round {
  readonly keys: readonly number[]
  readonly fate: 'commit' | 'abort' | 'plain'
}

/** What a read_committed reader sees, from an offset, in fetches of any size. */
async function read(broker: Awaited<ReturnType<typeof openEmbeddedLog>>, from: number, maxBytes: number) {
  const [end] = await broker.admin.listOffsets([{ topic: 't', partition: 0 }], 'latest-stable')
  const reader = broker.openReader({ partitionMaxBytes: maxBytes })
  reader.assign([{ topic: 't', partition: 0, offset: from }])
  const seen: { key: string; value: string; offset: number }[] = []
  for (let position = from; position < end!;) {
    for (const { records } of await reader.poll(1000)) {
      while (records.next()) {
        seen.push({ key: records.key()!.toString(), value: records.value()!.toString(), offset: records.offset })
      }
      position = records.position
    }
  }
  await reader.close()
  return seen
}

test('compaction keeps the newest value of every key, whatever was committed and aborted, and readers get to the end', async () => {
  const round = fc.record({
    keys: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 }),
    fate: fc.constantFrom('commit' as const, 'commit' as const, 'abort' as const, 'plain' as const),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 150, maxLength: 200 }),
      fc.constantFrom(100, 5000, 1 << 20),
      checkRounds,
    ),
    { numRuns: 6 },
  )
})

async function checkRounds(rounds: readonly Round[], maxBytes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'compaction-test-'))
  const path = join(folder, 'log.db')
  let broker = await openEmbeddedLog({ path })
  try {
    await broker.admin.createTopics([{ topic: 't', partitions: 1, configs: { 'cleanup.policy': 'compact' } }])
    const transactional = await broker.openProducer({ transactionalId: 'x' })
    const plain = await broker.openProducer()
    const table = new Map<string, string>()
    let serial = 0
    // Often enough that there is something to compact.
    for (const { keys, fate } of [...rounds, ...rounds]) {
      const producer = fate === 'plain' ? plain : transactional
      for (const key of keys) {
        const value = `v${serial++}`
        producer.append('t', 0, Buffer.from(`k${key}`), Buffer.from(value), serial)
        if (fate !== 'abort') table.set(`k${key}`, value)
      }
      await producer.flush()
      if (fate === 'commit') await transactional.commit()
      if (fate === 'abort') await transactional.abort()
    }
    const before = await read(broker, 0, maxBytes)
    const batches = countBatches(path, await broker.close())
    broker = await openEmbeddedLog({ path, compactionIntervalMs: 1 })
    await eventually('something is compacted', async () => {
      const reader = await read(broker, 0, 1 << 20)
      return reader.length < before.length
    })
    await broker.close()
    expect(countBatches(path)).toBeLessThan(batches)
    broker = await openEmbeddedLog({ path })
    const after = await read(broker, 0, maxBytes)
    expect(new Map(after.map(({ key, value }) => [key, value]))).toEqual(table)
    // What is left is what was there, under the same offsets.
    const known = new Map(before.map((record) => [record.offset, record]))
    for (const record of after) expect(record).toEqual(known.get(record.offset))
    // A reader that stood anywhere goes on from there.
    for (const from of [1, Math.floor(serial / 3), serial]) {
      expect(await read(broker, from, maxBytes)).toEqual(after.filter(({ offset }) => offset >= from))
    }
  } finally {
    await broker.close()
    rmSync(folder, { recursive: true })
  }
}

function countBatches(path: string, _closed?: void): number {
  const database = new Database(path, { readonly: true })
  const { count } = database.prepare('SELECT count(*) AS count FROM batches').get() as { count: number }
  database.close()
  return count
}
