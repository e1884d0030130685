import { describe, expect, test } from 'vitest'
import {
  int64,
  StreamsBuilder,
  stores,
  string,
  type CustomRows,
  type Processor,
  type ProcessorContext,
} from '../../src/index.ts'
import { faceOf } from '../../src/state/open-store.ts'
import { TopologyTestDriver } from '../../src/testing.ts'
import { StoreBench } from './store-bench.ts'

/** Distinct values, and how many there are, which the face keeps beside its rows. */
class DistinctWords {
  readonly #rows: CustomRows
  #size: number

  constructor(rows: CustomRows) {
    this.#rows = rows
    this.#size = [...rows.range()].length
  }

  get size(): number {
    return this.#size
  }

  add(word: string): boolean {
    const key = Buffer.from(word)
    if (this.#rows.get(key) !== null) return false
    this.#rows.put(key, Buffer.from(String(this.#rows.recordTimeMs)))
    this.#size++
    return true
  }

  remove(word: string): void {
    this.#rows.put(Buffer.from(word), null)
    this.#size--
  }

  between(from: string, to: string, reverse = false): string[] {
    return [...this.#rows.range({ from: Buffer.from(from), to: Buffer.from(to), reverse })].map(([key]) => String(key))
  }
}

const distinct = stores.custom({ name: 'words', open: (rows) => new DistinctWords(rows) })

describe.each(['file', 'memory'] as const)('a store of the user’s own making, in %s', (where) => {
  const open = (): { bench: StoreBench; words: () => DistinctWords } => {
    const bench = new StoreBench(distinct, where)
    return { bench, words: () => faceOf(bench.store) as DistinctWords }
  }

  test('reads its rows in the order of their bytes, forwards and backwards', () => {
    const { bench, words } = open()
    for (const word of ['b', 'ä', 'a', 'c', 'aa']) words().add(word)
    expect(words().between('a', 'c')).toEqual(['a', 'aa', 'b'])
    expect(words().between('a', 'ÿ', true)).toEqual(['ä', 'c', 'b', 'aa', 'a'])
    bench.close()
  })

  test('an abort takes back its rows and what its face remembers of them', () => {
    const { bench, words } = open()
    words().add('kept')
    bench.commit()
    words().add('lost')
    words().remove('kept')
    bench.abort()
    expect(words().size).toBe(1)
    expect(words().add('kept')).toBe(false)
    expect(words().add('lost')).toBe(true)
    bench.close()
  })

  test('its rows come back from disk and from the changelog, deletions too', async () => {
    const { bench, words } = open()
    bench.recordTimeMs = 70
    for (const word of ['on disk', 'deleted later']) words().add(word)
    bench.commit()
    await bench.persist()
    words().remove('deleted later')
    words().add('in the changelog')
    bench.commit()
    words().add('never committed')
    bench.reopen()
    expect(words().between('', 'z')).toEqual(['in the changelog', 'on disk'])
    expect(words().size).toBe(2)
    expect(bench.changelog.map(({ timestampMs }) => timestampMs)).toEqual([70, 70, 70, 70])
    bench.close()
  })
})

describe('in a topology', () => {
  function topology() {
    const builder = new StreamsBuilder()
    builder.addStateStore(distinct)
    builder
      .stream('lines', { key: string(), value: string() })
      .processValues<number>(
        () => {
          let words: DistinctWords
          let context: ProcessorContext<string, number>
          return {
            init(given) {
              context = given
              words = given.getStateStore<DistinctWords>('words')
            },
            process(record) {
              words.add(record.value)
              context.forward({ ...record, value: words.size })
            },
          } satisfies Processor<string, string, string, number>
        },
        { stores: ['words'], value: int64() },
      )
      .to('sizes')
    return builder.build()
  }

  test('processors get its face, and a crash in the middle loses only what was not committed', () => {
    const driver = new TopologyTestDriver(topology(), { commits: 'manual' })
    const lines = driver.createInputTopic('lines', { key: string(), value: string() })
    lines.pipeInput('k', 'one')
    lines.pipeInput('k', 'two')
    driver.commit()
    lines.pipeInput('k', 'three')
    expect(driver.store<DistinctWords>('words').size).toBe(3)
    driver.crash()
    const sizes = driver.createOutputTopic('sizes', { key: string(), value: int64() })
    driver.commit()
    expect(sizes.readValuesToList()).toEqual([1, 2, 3])
    expect(driver.store<DistinctWords>('words').size).toBe(3)
  })
})
