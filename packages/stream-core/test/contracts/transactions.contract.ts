import { beforeEach, expect, test } from 'vitest'
import type { Broker } from '../../src/index.ts'
import { bytes, type ContractBench, values } from './contract-bench.ts'

/** Part of the broker contract: transactions, and offsets of groups. */
export function describeTransactions(bench: ContractBench): void {
  const { write, read, id } = bench
  let broker: Broker
  let topic: string
  beforeEach(() => {
    ;({ broker, topic } = bench)
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

  test('offsets can be committed without a transaction', async () => {
    const producer = await broker.openProducer()
    const offset = { topic, partition: 0, offset: 3, metadata: 'plain' }
    await producer.commitOffsets(`${topic}-group`, [offset])
    expect(await broker.admin.committedOffsets(`${topic}-group`, [offset], { requireStable: true })).toEqual([offset])
    await producer.close()
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
    // A broker answers before its markers are there.
    await expect.poll(async () => values(await read({}))).toEqual(['v', 'w'])
    for (const producer of [gone!, idle!, here!]) await producer.close()
  })

  test('offsets that are added at once from several places all count', async () => {
    const producer = await broker.openProducer({ transactionalId: id() })
    const group = `${topic}-group`
    const offsets = [0, 1].map((partition) => ({ topic, partition, offset: partition + 5, metadata: `m${partition}` }))
    await write(producer, ['x'])
    await Promise.all(offsets.map((offset) => producer.sendOffsets(group, [offset])))
    await producer.commit()
    expect(await broker.admin.committedOffsets(group, offsets, { requireStable: true })).toEqual(offsets)
    const later = offsets.map((offset) => ({ ...offset, offset: offset.offset + 1 }))
    await Promise.all(later.map((offset) => producer.commitOffsets(group, [offset])))
    expect(await broker.admin.committedOffsets(group, later, { requireStable: true })).toEqual(later)
    await producer.close()
  })

  test('a transactional id serves one producer after the other, however the last one ended', async () => {
    const expected: string[] = []
    for (const [i, end] of (['close', 'abort', 'leave open', 'close', 'commit'] as const).entries()) {
      const producer = await broker.openProducer({ transactionalId: id() })
      await write(producer, [`${i} committed`])
      await producer.commit()
      expected.push(`${i} committed`)
      if (end !== 'commit') await write(producer, [`${i} given up`], i % 2)
      if (end === 'abort') await producer.abort()
      if (end === 'close') await producer.close()
    }
    await expect.poll(async () => values(await read({}))).toEqual(expected)
    expect(await read({}, 1)).toEqual([])
  })

  test('an aborted transaction that no fetch holds as a whole is never seen, from wherever reading begins', async () => {
    const producer = await broker.openProducer({ transactionalId: id() })
    for (let i = 0; i < 6; i++) await write(producer, [`aborted ${i} ${'x'.repeat(100_000)}`])
    await producer.abort()
    await write(producer, ['committed'])
    await producer.commit()
    const plain = await broker.openProducer()
    await write(plain, ['plain'])
    for (const from of [0, 1, 4, 6]) {
      await expect
        .poll(async () => values(await read({ partitionMaxBytes: 50_000, maxBytes: 150_000 }, 0, from)))
        .toEqual(['committed', 'plain'])
    }
    await plain.close()
    await producer.close()
  })
}
