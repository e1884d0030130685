import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Broker, LogProducer } from '../../src/index.ts'
import { bytes, type ContractBench, values } from './contract-bench.ts'

/** Part of the broker contract: records that a topic does not take. */
export function describeRefusals(bench: ContractBench): void {
  const { read, id } = bench
  let broker: Broker
  let topic: string
  beforeEach(async () => {
    ;({ broker } = bench)
    topic = `${bench.topic}-small`
    await broker.admin.createTopics([{ topic, partitions: 2, configs: { 'max.message.bytes': '2000' } }])
    bench.topic = topic
  })

  const large = bytes('x'.repeat(3000))
  const appended = (producer: LogProducer, value: Buffer, told: string[], isLeftOut?: boolean): void =>
    producer.append(
      topic,
      0,
      bytes('k'),
      value,
      1000,
      [['h', bytes('1')]],
      (error, next) =>
        told.push(
          error === null ? `${value.toString().slice(0, 3)} ${next}` : `${value.toString().slice(0, 3)} failed`,
        ),
      isLeftOut === undefined
        ? undefined
        : (error) => {
            told.push(`asked ${error.code} ${error.written}`)
            return isLeftOut
          },
    )

  test('what fits one by one is written, in order, though it does not fit together', async () => {
    const producer = await broker.openProducer()
    const told: string[] = []
    for (let i = 100; i < 164; i++) appended(producer, bytes(`${i}${'.'.repeat(100)}`), told)
    await producer.flush()
    const seen = await read()
    expect(seen.map(({ value, offset }) => `${value!.slice(0, 3)} ${offset}`)).toEqual(
      Array.from({ length: 64 }, (_, i) => `${100 + i} ${i}`),
    )
    expect(seen[0]).toMatchObject({ key: 'k', timestampMs: 1000, headers: [['h', '1']] })
    expect(told).toEqual(Array.from({ length: 64 }, (_, i) => `${100 + i} ${i + 1}`))
    expect(producer.pendingBytes).toBe(0)
    await producer.close()
  })

  test('so is what does not fit compressed, in a transaction', async () => {
    for (const compression of ['zstd', 'lz4'] as const) {
      const producer = await broker.openProducer({ transactionalId: id(), compression })
      const written = Array.from({ length: 40 }, () => randomBytes(60).toString('base64'))
      for (const value of written) producer.append(topic, 0, null, bytes(value), 1)
      await producer.commit()
      await expect.poll(async () => values(await read({})).slice(-40)).toEqual(written)
      await producer.close()
    }
  })

  test('one that is too large fails its flush, and the next ones go on', async () => {
    const producer = await broker.openProducer()
    const told: string[] = []
    appended(producer, large, told)
    await expect(producer.flush()).rejects.toMatchObject({ code: 'BROKER_REFUSED', retryable: false, written: 'no' })
    expect(told).toEqual(['xxx failed'])
    appended(producer, bytes('one'), told)
    await producer.flush()
    expect(values(await read())).toEqual(['one'])
    await producer.close()
  })

  test('it is left out when whoever appended it says so, and what is around it is written', async () => {
    const producer = await broker.openProducer()
    const told: string[] = []
    appended(producer, bytes('one'), told, true)
    appended(producer, large, told, true)
    appended(producer, bytes('two'), told, true)
    await producer.flush()
    expect(values(await read())).toEqual(['one', 'two'])
    expect(told.sort()).toEqual(['asked BROKER_REFUSED no', 'one 1', 'two 2', 'xxx failed'])
    expect(producer.nextOffset(topic, 0)).toBe(2)
    await producer.close()
  })

  test('a transaction goes on without it, and what is written because of it is part of the transaction', async () => {
    const producer = await broker.openProducer({ transactionalId: id() })
    for (const round of ['a', 'b']) {
      producer.append(topic, 0, null, bytes(round), 1)
      producer.append(topic, 0, null, large, 1, [], undefined, () => {
        producer.append(topic, 1, null, bytes(`instead in ${round}`), 1)
        return true
      })
      producer.append(topic, 0, null, bytes(`${round} too`), 1)
      await producer.commit()
      expect(producer.pendingBytes).toBe(0)
    }
    await expect.poll(async () => values(await read({}))).toEqual(['a', 'a too', 'b', 'b too'])
    expect(values(await read({}, 1))).toEqual(['instead in a', 'instead in b'])
    await producer.close()
  })

  test('a transaction fails with it otherwise, and the next one does not', async () => {
    const producer = await broker.openProducer({ transactionalId: id() })
    producer.append(topic, 1, null, bytes('with it'), 1)
    producer.append(topic, 0, null, large, 1, [], undefined, () => false)
    await expect(producer.commit()).rejects.toMatchObject({ code: 'BROKER_REFUSED', written: 'no' })
    await producer.abort()
    producer.append(topic, 0, null, bytes('next'), 1)
    await producer.commit()
    await expect.poll(async () => values(await read({}))).toEqual(['next'])
    expect(values(await read({}, 1))).toEqual([])
    await producer.close()
  })
}
