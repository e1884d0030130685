import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../src/common/byte-writer.ts'
import { noHeaders } from '../../src/common/record.ts'
import { type Serde, sessionWindowed, stores, string, timeWindowed } from '../../src/index.ts'
import { changeSerde } from '../../src/operators/change-serde.ts'
import { CombinedKeys, responseSerde, subscriptionSerde } from '../../src/operators/foreign-key-wrappers.ts'
import { decodeOffsetMetadata, encodeOffsetMetadata } from '../../src/runtime/offset-metadata.ts'
import type { OuterJoinStore } from '../../src/state/outer-join-store.ts'
import type { WindowStore } from '../../src/state/window-store.ts'
import { StoreBench } from './store-bench.ts'

const context = { topic: 't', part: 'value', headers: noHeaders } as const
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')

function written<T>(serde: Serde<T>, value: T): string {
  const out = new ByteWriter()
  serde.write(value, out, context)
  return out.toBuffer().toString('hex')
}

function there<T>(serde: Serde<T>, value: T): T {
  const bytes = Buffer.from(written(serde, value), 'hex')
  return serde.read(bytes, 0, bytes.length, context)
}

describe('bytes in topics are Kafka Streams’ (reference §6.3)', () => {
  test('windowed keys hold their start, sessions both ends', () => {
    const window = { start: 1000, end: 1010 }
    expect(written(timeWindowed(string(), 10), { key: 'A', window })).toBe('4100000000000003e8')
    const session = { key: 'A', window: { start: 5, end: 10 } }
    expect(written(sessionWindowed(string()), session)).toBe('41000000000000000a0000000000000005')
    expect(there(timeWindowed(string(), 10), { key: 'A', window })).toEqual({ key: 'A', window })
    expect(there(sessionWindowed(string()), session)).toEqual(session)
  })

  test('a window store’s changelog key ends with a sequence: 0, or one that counts where duplicates are kept', () => {
    const settings = { name: 's', key: string(), value: string(), retentionMs: 1000, windowSizeMs: 10 }
    const keysOf = (retainDuplicates: boolean): readonly string[] => {
      const bench = new StoreBench(stores.window({ ...settings, retainDuplicates }), 'memory')
      const store = bench.store as unknown as WindowStore<string, string>
      store.put('A', 'v', 1000)
      store.put('A', 'w', 1000)
      bench.commit()
      return bench.changelog.map(({ key }) => hex(key))
    }
    expect(keysOf(false)).toEqual(['4100000000000003e800000000'])
    expect(keysOf(true)).toEqual(['4100000000000003e800000001', '4100000000000003e800000002'])
  })

  test('a change in a repartition topic says with its last byte what it holds', () => {
    const serde = changeSerde(string())
    const change = (oldValue: string | null, newValue: string | null) => ({ oldValue, newValue, isLatest: true })
    expect(written(serde, change('a', null))).toBe('6100')
    expect(written(serde, change(null, 'b'))).toBe('6201')
    expect(written(serde, change('a', 'bb'))).toBe('0462626102')
    expect(there(serde, change('a', 'bb'))).toEqual(change('a', 'bb'))
    const older = Buffer.from('610003', 'hex')
    expect(serde.read(older, 0, 3, context)).toEqual({ oldValue: 'a', newValue: null, isLatest: false })
    expect(() => written(serde, change(null, null))).toThrow(/without an old and a new value/)
  })

  test('what waits in an outer join is keyed by time and side, and is a list', () => {
    const outer = {
      kind: 'outerJoin',
      name: 's',
      key: string() as Serde<unknown>,
      value: string() as Serde<unknown>,
      otherValue: string() as Serde<unknown>,
      caching: false,
      inMemory: false,
      logging: {},
    } as const
    const bench = new StoreBench(outer, 'memory')
    const store = bench.store as unknown as OuterJoinStore<string>
    store.add('A', 1000, true, 'v')
    store.add('A', 1000, false, 'v')
    bench.commit()
    expect(bench.changelog.map(({ key, value }) => [hex(key), value!.toString('hex')])).toEqual([
      ['00000000000003e80141', '0100000001000000020176'],
      ['00000000000003e80041', '0100000001000000020076'],
    ])
  })

  test('foreign-key joins: combined keys, subscriptions of both versions, responses', () => {
    const keys = new CombinedKeys(string(), string(), context)
    expect(hex(keys.stored('F', 'P'))).toBe('000000014650')
    expect(keys.primaryKey(keys.stored('F', 'P'))).toBe('P')
    const serde = subscriptionSerde(string())
    const subscription = { hash: null, instruction: 1, primaryKey: 'P', version: 1, primaryPartition: 3 } as const
    expect(written(serde, subscription)).toBe('81015000000003')
    expect(there(serde, subscription)).toEqual(subscription)
    const hash = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
    const first = { ...subscription, hash, version: 0, primaryPartition: null }
    expect(there(serde, first)).toEqual(first)
    const response = { hash, foreignValue: null, version: 0, primaryPartition: null }
    expect(written(responseSerde(string()), response)).toBe(`00${hash.toString('hex')}`)
    expect(there(responseSerde(string()), { ...response, foreignValue: 'f' })).toEqual({
      ...response,
      foreignValue: 'f',
    })
  })

  test('committed offsets carry the partition’s time, and numbers by name', () => {
    expect(encodeOffsetMetadata({ partitionTimeMs: 1000, numbers: new Map() })).toBe('AgAAAAAAAAPo')
    const metadata = { partitionTimeMs: 1000, numbers: new Map([['emit', 42]]) }
    expect(decodeOffsetMetadata(encodeOffsetMetadata(metadata))).toEqual(metadata)
    for (const text of ['', 'not base64 of ours', 'CQ==', null]) {
      expect(decodeOffsetMetadata(text)).toEqual({ partitionTimeMs: -1, numbers: new Map() })
    }
  })
})
