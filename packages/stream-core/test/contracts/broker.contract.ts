import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Broker, LogProducer, LogReader } from '../../src/index.ts'

export interface BrokerHarness {
  readonly broker: Broker
  cleanup(): Promise<void>
}

interface Seen {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
  readonly headers: readonly (readonly [string, string | null])[]
}

const bytes = (text: string): Buffer => Buffer.from(text)

/** What every log promises (src/broker/broker.ts); both adapters run all of these cases. */
export function describeBrokerContract(name: string, open: () => Promise<BrokerHarness>): void {
  describe(`${name} keeps the broker contract`, () => {
    let harness: BrokerHarness
    let broker: Broker
    let topic: string
    let counter = 0

    beforeAll(async () => {
      harness = await open()
      broker = harness.broker
    })
    afterAll(() => harness?.cleanup())
    beforeEach(async () => {
      topic = `topic-${process.pid}-${counter++}`
      await broker.admin.createTopics([{ topic, partitions: 2 }])
    })

    const id = (): string => `${topic}-tx`

    async function write(producer: LogProducer, values: readonly string[], partition = 0): Promise<void> {
      for (const value of values) producer.append(topic, partition, bytes('k'), bytes(value), 1000)
      await producer.flush()
    }

    /** Reads until `until` holds or, by default, up to where the partition ends now. */
    async function read(options: Parameters<Broker['openReader']>[0] = {}, partition = 0, from = 0): Promise<Seen[]> {
      const at = options.isolation === 'read_uncommitted' ? 'latest' : 'latest-stable'
      const [end] = await broker.admin.listOffsets([{ topic, partition }], at)
      const reader = broker.openReader(options)
      reader.assign([{ topic, partition, offset: from }])
      const seen = await drain(reader, end!)
      await reader.close()
      return seen
    }

    async function drain(reader: LogReader, end: number, deadlineMs = 20_000): Promise<Seen[]> {
      const seen: Seen[] = []
      const giveUp = Date.now() + deadlineMs
      for (let position = 0; position < end;) {
        if (Date.now() > giveUp) throw new Error(`read up to ${position} of ${end}`)
        for (const { partition, records } of await reader.poll(1000)) {
          while (records.next()) {
            seen.push({
              partition,
              offset: records.offset,
              key: records.key()?.toString() ?? null,
              value: records.value()?.toString() ?? null,
              timestampMs: records.timestampMs,
              headers: records.headers().map(([header, value]) => [header, value?.toString() ?? null]),
            })
          }
          position = records.position
        }
        if (end === 0) break
      }
      return seen
    }
    const values = (seen: readonly Seen[]): (string | null)[] => seen.map(({ value }) => value)

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
        producer.append(topic, 1, null, bytes(value), 1, [], (error, next) =>
          told.push([error ? 'error' : value, next]),
        )
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
      await broker.admin.createTopics([{ topic, partitions: 5 }])
      const [before] = [...(await broker.admin.describeTopics([topic])).values()]
      expect(before).toMatchObject({ topic, partitionCount: 2 })
      await broker.admin.deleteTopics([topic])
      expect((await broker.admin.describeTopics([topic])).size).toBe(0)
      await broker.admin.createTopics([{ topic, partitions: 3 }])
      const [after] = [...(await broker.admin.describeTopics([topic, 'no-such-topic'])).values()]
      expect(after).toMatchObject({ partitionCount: 3 })
      expect(after!.topicId).not.toBe(before!.topicId)
    })

    test('a transaction is seen when it is committed, in all its partitions', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      await write(producer, ['a'], 0)
      await write(producer, ['b'], 1)
      expect(await broker.admin.listOffsets([{ topic, partition: 0 }], 'latest-stable')).toEqual([0])
      expect(values(await read({ isolation: 'read_uncommitted' }))).toEqual(['a'])
      await producer.commit()
      await expect.poll(async () => values(await read({}, 0))).toEqual(['a'])
      await expect.poll(async () => values(await read({}, 1))).toEqual(['b'])
      await producer.close()
    })

    test('aborted records are never seen, also of several aborts in a row and across fetches', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      for (const round of [1, 2, 3]) {
        for (let i = 0; i < 3; i++) await write(producer, [`aborted ${round}.${i} ${'x'.repeat(2000)}`])
        await producer.abort()
        await write(producer, [`committed ${round}`])
        await producer.commit()
      }
      const committed = ['committed 1', 'committed 2', 'committed 3']
      await expect.poll(async () => values(await read({}))).toEqual(committed)
      expect(values(await read({ partitionMaxBytes: 1000 }))).toEqual(committed)
      expect(await read({ isolation: 'read_uncommitted' })).toHaveLength(12)
      await producer.close()
    })

    test('records behind an open transaction wait for it', async () => {
      const transactional = await broker.openProducer({ transactionalId: id() })
      await write(transactional, ['open'])
      const plain = await broker.openProducer()
      await write(plain, ['behind'])
      expect(await read({})).toEqual([])
      await transactional.commit()
      await expect.poll(async () => values(await read({}))).toEqual(['open', 'behind'])
      await transactional.close()
      await plain.close()
    })

    test('offsets are committed with the transaction, and given up with it', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      const group = `${topic}-group`
      const partition = { topic, partition: 1 }
      const committed = async (): Promise<unknown> =>
        (await broker.admin.committedOffsets(group, [partition, { topic, partition: 0 }], { requireStable: true }))[0]
      await producer.sendOffsets(group, [{ ...partition, offset: 7, metadata: 'm7' }])
      await producer.abort()
      expect(await committed()).toEqual({ ...partition, offset: -1, metadata: '' })
      await write(producer, ['x'])
      await producer.sendOffsets(group, [{ ...partition, offset: 8, metadata: 'm8' }])
      await producer.commit()
      expect(await committed()).toEqual({ ...partition, offset: 8, metadata: 'm8' })
      await producer.close()
    })

    test('stable offsets are waited for while a transaction may still move them', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      const group = `${topic}-group`
      const partition = { topic, partition: 0 }
      await producer.sendOffsets(group, [{ ...partition, offset: 1, metadata: '' }])
      await producer.commit()
      await producer.sendOffsets(group, [{ ...partition, offset: 2, metadata: '' }])
      const unstable = await broker.admin.committedOffsets(group, [partition], { requireStable: false })
      expect(unstable[0]!.offset).toBe(1)
      let isAnswered = false
      const stable = broker.admin.committedOffsets(group, [partition], { requireStable: true }).then((offsets) => {
        isAnswered = true
        return offsets
      })
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect(isAnswered).toBe(false)
      await producer.commit()
      expect((await stable)[0]!.offset).toBe(2)
      await producer.close()
    })

    test('the next producer of a transactional id ends what the last one left open, and fences it', async () => {
      const first = await broker.openProducer({ transactionalId: id() })
      await write(first, ['left open'])
      const second = await broker.openProducer({ transactionalId: id() })
      await write(second, ['mine'])
      await second.commit()
      first.append(topic, 0, null, bytes('zombie'), 1)
      await expect(first.commit()).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:FENCED|TRANSACTION_ABORTABLE)$/),
      })
      await expect(first.abort()).rejects.toMatchObject({ code: 'FENCED' })
      await expect.poll(async () => values(await read({}))).toEqual(['mine'])
      const third = await broker.openProducer({ transactionalId: id() })
      await write(third, ['again'])
      await third.commit()
      await expect.poll(async () => values(await read({}))).toEqual(['mine', 'again'])
      for (const producer of [first, second, third]) await producer.close()
    })

    test('committing nothing does nothing, and aborting nothing leaves a producer that works', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      await producer.commit()
      await producer.abort()
      await write(producer, ['works'])
      await producer.commit()
      await expect.poll(async () => values(await read({}))).toEqual(['works'])
      await producer.close()
    })

    test('what was appended and not flushed is given up by an abort, and each record is told', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      const errors: (string | undefined)[] = []
      producer.append(topic, 0, null, bytes('never'), 1, [], (error) => errors.push(error?.message))
      await producer.abort()
      expect(errors).toEqual([expect.stringContaining('aborted')])
      await write(producer, ['kept'])
      await producer.commit()
      await expect.poll(async () => values(await read({}))).toEqual(['kept'])
      await producer.close()
    })

    test('many small transactions in a row are all there, once', async () => {
      const producer = await broker.openProducer({ transactionalId: id() })
      const expected: string[] = []
      for (let i = 0; i < 50; i++) {
        await write(producer, [String(i)], 0)
        if (i % 5 === 4) await producer.abort()
        else {
          await producer.commit()
          expected.push(String(i))
        }
      }
      await expect.poll(async () => values(await read({}))).toEqual(expected)
      await producer.close()
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
      reader.assign([{ topic, partition: 0, offset: 99 }])
      let error: unknown = null
      for (let i = 0; i < 20 && error === null; i++) await reader.poll(500).catch((caught: unknown) => (error = caught))
      expect(error).toMatchObject({
        code: 'OFFSET_OUT_OF_RANGE',
        message: expect.stringContaining(`offset 99 of ${topic} partition 0`),
      })
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

    test('offsets can be committed without a transaction', async () => {
      const producer = await broker.openProducer()
      const offset = { topic, partition: 0, offset: 3, metadata: 'plain' }
      await producer.commitOffsets(`${topic}-group`, [offset])
      expect(await broker.admin.committedOffsets(`${topic}-group`, [offset], { requireStable: true })).toEqual([offset])
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

    test('what is open of transactional ids that are gone can be ended, and others are left alone', async () => {
      const [gone, idle, here] = await Promise.all(
        ['gone', 'idle', 'here'].map((name) => broker.openProducer({ transactionalId: `${id()}-${name}` })),
      )
      for (const producer of [gone!, here!]) await write(producer, ['v'])
      const ended = await broker.admin.abortTransactions((name) => name.startsWith(id()) && !name.endsWith('here'))
      expect(ended).toEqual([`${id()}-gone`])
      await expect(gone!.commit()).rejects.toThrow()
      await here!.commit()
      await write(idle!, ['w'])
      await idle!.commit()
      expect(values(await read())).toEqual(['v', 'w'])
      for (const producer of [gone!, idle!, here!]) await producer.close()
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
  })
}
