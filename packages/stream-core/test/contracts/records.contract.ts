import { beforeEach, expect, test } from 'vitest'
import type { Broker } from '../../src/index.ts'
import { bytes, type ContractBench, drain, values } from './contract-bench.ts'

/** Part of the broker contract: records, readers, topics and offsets. */
export function describeRecords(bench: ContractBench): void {
  const { write, read } = bench
  let broker: Broker
  let topic: string
  beforeEach(() => {
    ;({ broker, topic } = bench)
  })

  test('records come back in order, with keys, nulls, headers and times', async () => {
    const producer = await broker.openProducer()
    producer.append(topic, 0, bytes('a'), bytes('1'), 1000, [
      ['h', bytes('x')],
      ['h', null],
    ])
    producer.append(topic, 0, null, bytes('2'), 5)
    producer.append(topic, 0, 'latin1-\xff', null, 2 ** 40)
    await producer.flush()
    const [first, second, third] = await read()
    expect(first).toEqual({
      partition: 0,
      offset: 0,
      key: 'a',
      value: '1',
      timestampMs: 1000,
      headers: [
        ['h', 'x'],
        ['h', null],
      ],
    })
    expect(second).toMatchObject({ offset: 1, key: null, value: '2', timestampMs: 5, headers: [] })
    expect(third).toMatchObject({ offset: 2, value: null, timestampMs: 2 ** 40 })
    await producer.close()
  })

  test('a producer knows the offset after its last record', async () => {
    const producer = await broker.openProducer()
    expect(producer.nextOffset(topic, 0)).toBe(-1)
    await write(producer, ['1', '2', '3'])
    expect(producer.nextOffset(topic, 0)).toBe(3)
    expect(producer.pendingBytes).toBe(0)
    await producer.close()
  })

  test('every record that asks is told once, with the offset after it', async () => {
    const producer = await broker.openProducer()
    const told: [string, number][] = []
    for (const value of ['a', 'b', 'c']) {
      producer.append(topic, 1, null, bytes(value), 1, [], (error, next) => told.push([error ? 'error' : value, next]))
    }
    expect(producer.pendingBytes).toBeGreaterThan(0)
    await producer.flush()
    expect(told).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    await producer.close()
  })

  test('flushes that overlap keep the order and lose nothing', async () => {
    const producer = await broker.openProducer()
    const flushes: Promise<void>[] = []
    for (let i = 0; i < 200; i++) {
      producer.append(topic, i % 2, null, bytes(String(i)), 1)
      flushes.push(producer.flush())
      if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(flushes)
    const even = Array.from({ length: 100 }, (_, i) => String(2 * i))
    expect(values(await read({}, 0))).toEqual(even)
    expect(values(await read({}, 1))).toEqual(even.map((value) => String(Number(value) + 1)))
    await producer.close()
  })

  test('twenty thousand records and some of 600 kB come through several fetches', async () => {
    const producer = await broker.openProducer({ compression: 'zstd' })
    for (let i = 0; i < 20_000; i++) producer.append(topic, 0, null, bytes(`value ${i}`), i)
    for (let i = 0; i < 4; i++) producer.append(topic, 1, null, Buffer.alloc(600_000, i), i)
    await producer.flush()
    const many = await read({ partitionMaxBytes: 20_000 }, 0)
    expect(many).toHaveLength(20_000)
    expect(many.every(({ value, offset }, i) => value === `value ${i}` && offset === i)).toBe(true)
    const big = await read({ partitionMaxBytes: 1000 }, 1)
    expect(big.map(({ value }) => value!.length)).toEqual([600_000, 600_000, 600_000, 600_000])
    await producer.close()
  })

  test('a reader begins inside a batch and skips what lies before', async () => {
    const producer = await broker.openProducer()
    await write(producer, ['1', '2', '3', '4'])
    expect(values(await read({}, 0, 2))).toEqual(['3', '4'])
    await producer.close()
  })

  test('a topic that exists is left as it is, and one that is made anew has another id', async () => {
    await broker.admin.createTopics([{ topic, partitions: 2 }])
    const fresh = { topic: `${topic}-fresh`, partitions: 1 }
    await expect(broker.admin.createTopics([fresh, { topic, partitions: 5 }])).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      option: 'partitions',
      message: expect.stringContaining(`${topic} has 2 partitions where 5 are asked for: ask for as many as there are`),
    })
    expect((await broker.admin.describeTopics([fresh.topic])).size).toBe(0)
    const [before] = [...(await broker.admin.describeTopics([topic])).values()]
    expect(before).toMatchObject({ topic, partitionCount: 2 })
    await broker.admin.deleteTopics([topic])
    expect((await broker.admin.describeTopics([topic])).size).toBe(0)
    await broker.admin.createTopics([{ topic, partitions: 3 }])
    const [after] = [...(await broker.admin.describeTopics([topic, 'no-such-topic'])).values()]
    expect(after).toMatchObject({ partitionCount: 3 })
    expect(after!.topicId).not.toBe(before!.topicId)
  })

  test('a reader is told of each partition of a topic that was made anew, also where its positions are inside of it', async () => {
    const producer = await broker.openProducer()
    for (const partition of [0, 1]) await write(producer, ['1', '2'], partition)
    const reader = broker.openReader()
    const positions = [0, 1].map((partition) => ({ topic, partition, offset: 0 }))
    reader.assign(positions)
    for (let count = 0; count < 4;) {
      for (const { records } of await reader.poll(1000)) while (records.next()) count++
    }
    await producer.close()
    await broker.admin.deleteTopics([topic])
    await broker.admin.createTopics([{ topic, partitions: 2 }])
    const another = await broker.openProducer()
    for (const partition of [0, 1]) await write(another, ['3', '4', '5'], partition)
    const told: unknown[] = []
    for (let i = 0; i < 40 && told.length < 2; i++) {
      const brought = await reader.poll(250).catch((error: unknown) => {
        told.push(error)
        reader.remove([error as { topic: string; partition: number }])
        return []
      })
      expect(brought).toEqual([])
    }
    expect(told).toMatchObject([0, 1].map(() => ({ code: 'OFFSET_OUT_OF_RANGE', topic, offset: 2, divergedAt: 0 })))
    await reader.close()
    await another.close()
  })

  test('a paused partition brings nothing until it is resumed, and a reader can seek', async () => {
    const producer = await broker.openProducer()
    await write(producer, ['a'], 0)
    await write(producer, ['b'], 1)
    const reader = broker.openReader()
    reader.assign([
      { topic, partition: 0, offset: 0 },
      { topic, partition: 1, offset: 0 },
    ])
    reader.pause({ topic, partition: 0 })
    const [only] = await reader.poll(5000)
    expect(only).toMatchObject({ topic, partition: 1, highWatermark: 1, logStartOffset: 0 })
    expect(await reader.poll(50)).toEqual([])
    reader.resume({ topic, partition: 0 })
    let resumed: readonly { partition: number }[] = []
    await expect.poll(async () => (resumed = await reader.poll(1000)).length, { timeout: 5000 }).toBe(1)
    expect(resumed[0]!.partition).toBe(0)
    reader.seek({ topic, partition: 1 }, 0)
    await expect.poll(async () => (await reader.poll(1000))[0]?.partition, { timeout: 5000 }).toBe(1)
    await reader.close()
    await producer.close()
  })

  test('a waiting poll is woken by new records, and by wakeup', async () => {
    const producer = await broker.openProducer()
    const reader = broker.openReader()
    reader.assign([{ topic, partition: 0, offset: 0 }])
    await reader.poll(10)
    const waiting = reader.poll(10_000)
    await write(producer, ['news'])
    let arrived = await waiting
    if (arrived.length === 0) arrived = await reader.poll(5000)
    expect(arrived).toHaveLength(1)
    const startedMs = Date.now()
    const idle = reader.poll(10_000)
    reader.wakeup()
    expect(await idle).toEqual([])
    expect(Date.now() - startedMs).toBeLessThan(5000)
    await reader.close()
    await producer.close()
  })

  test('a position outside the log is an error that names it', async () => {
    const reader = broker.openReader()
    const refusalAt = async (offset: number): Promise<unknown> => {
      reader.assign([{ topic, partition: 0, offset }])
      let error: unknown = null
      for (let i = 0; i < 20 && error === null; i++) await reader.poll(500).catch((caught: unknown) => (error = caught))
      return error
    }
    const expected = { name: 'OffsetOutOfRangeError', code: 'OFFSET_OUT_OF_RANGE', retryable: false, divergedAt: null }
    expect(await refusalAt(99)).toMatchObject({
      ...expected,
      topic,
      partition: 0,
      offset: 99,
      logStartOffset: 0,
      logEndOffset: 0,
      message: `offset 99 of ${topic} partition 0 is outside the log (0 to 0)`,
    })
    const producer = await broker.openProducer()
    for (const value of ['1', '2', '3']) await write(producer, [value])
    await broker.admin.deleteRecords([{ topic, partition: 0, offset: 2 }])
    expect(await refusalAt(1)).toMatchObject({ ...expected, offset: 1, logStartOffset: 2, logEndOffset: 3 })
    // Where to go on is the caller's to say.
    reader.seek({ topic, partition: 0 }, 2)
    expect(values(await drain(reader, 3))).toEqual(['3'])
    await producer.close()
    await reader.close()
  })

  test('records below an offset can be deleted', async () => {
    const producer = await broker.openProducer()
    for (const value of ['1', '2', '3']) await write(producer, [value])
    await broker.admin.deleteRecords([{ topic, partition: 0, offset: 2 }])
    expect(await broker.admin.listOffsets([{ topic, partition: 0 }], 'earliest')).toEqual([2])
    expect(values(await read({}, 0, 2))).toEqual(['3'])
    await producer.close()
  })

  test('offsets are found by time, and are the end where nothing is that late', async () => {
    const producer = await broker.openProducer()
    for (const timeMs of [1000, 2000, 3000]) producer.append(topic, 0, bytes('k'), bytes('v'), timeMs)
    await producer.flush()
    for (const timeMs of [4000, 5000]) producer.append(topic, 0, bytes('k'), bytes('v'), timeMs)
    await producer.flush()
    const at = async (timestampMs: number): Promise<number> =>
      (await broker.admin.listOffsets([{ topic, partition: 0 }], { timestampMs }))[0]!
    expect(await Promise.all([0, 1000, 1001, 3000, 3001, 5000, 5001].map(at))).toEqual([0, 0, 1, 2, 3, 4, 5])
    expect(await broker.admin.listOffsets([{ topic, partition: 1 }], { timestampMs: 0 })).toEqual([0])
    await producer.close()
  })

  test('topics are listed, and those the log keeps for itself are not among them', async () => {
    await broker.admin.committedOffsets('some-group', [{ topic, partition: 0 }], { requireStable: false })
    const topics = await broker.admin.listTopics()
    expect(topics).toContain(topic)
    expect(topics.filter((name) => name.startsWith('__'))).toEqual([])
  })

  test('a reader takes partitions on and gives them up while it reads, and knows what it has still to bring', async () => {
    const producer = await broker.openProducer()
    await write(producer, ['a', 'b'])
    await write(producer, ['c'], 1)
    const reader = broker.openReader()
    reader.assign([{ topic, partition: 0, offset: 0 }])
    expect((await drain(reader, 2)).map(({ value }) => value)).toEqual(['a', 'b'])
    reader.add([{ topic, partition: 1, offset: 0 }])
    expect((await drain(reader, 1)).map(({ value }) => value)).toEqual(['c'])
    await reader.poll(100)
    expect([0, 1].map((partition) => reader.remaining({ topic, partition }))).toEqual([0, 0])
    reader.remove([{ topic, partition: 0 }])
    await write(producer, ['not read'])
    await write(producer, ['d'], 1)
    expect((await drain(reader, 2)).map(({ value }) => value)).toEqual(['d'])
    expect(() => reader.remaining({ topic, partition: 0 })).toThrow('is not assigned')
    await reader.close()
    await producer.close()
  })

  test('the cluster has an id', async () => {
    expect(await broker.admin.clusterId()).toMatch(/^[\w-]{10,}$/)
  })
}
