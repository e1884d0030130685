import { compareCounts } from './compare-counts.ts'
import { random } from './random.ts'
import { eventTimeStartMs, fill, readAll } from './topics.ts'
import { partitions, type Workload } from './workload.ts'

const vocabularySize = 10_000
const wordsPerLine = { least: 8, most: 12 }

/** Words of three to nine letters. */
function vocabulary(next: () => number): readonly string[] {
  const words = new Set<string>()
  while (words.size < vocabularySize) {
    let word = ''
    const length = 3 + (next() % 7)
    for (let i = 0; i < length; i++) word += String.fromCharCode(97 + (next() % 26))
    words.add(word)
  }
  return [...words]
}

/** Chooses as Zipf's law has it: the second word half as often as the first, the third a third as often, and so on. */
function zipf(count: number, next: () => number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) sums[i] = sum += 1 / (i + 1)
  return () => {
    const wanted = (next() / 2 ** 32) * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return low
  }
}

export const wordCount: Workload = {
  name: 'word-count',
  question: 'lines of ten words, a repartition topic, 10,000 words as in a language',
  records: 500_000,
  async prepare({ broker }, records, prefix) {
    const input = `${prefix}-input`
    const next = random(7)
    const words = vocabulary(next)
    const choose = zipf(words.length, next)
    const expected = new Map<string, number>()
    const startMs = eventTimeStartMs()
    let ticks = 0
    await fill(broker, input, { count: records }, (i, append) => {
      const length = wordsPerLine.least + (next() % (wordsPerLine.most - wordsPerLine.least + 1))
      let line = ''
      for (let at = 0; at < length; at++) {
        const word = words[choose()]!
        line += at === 0 ? word : ` ${word}`
        expected.set(word, (expected.get(word) ?? 0) + 1)
      }
      ticks += length
      append(i % partitions, null, line, startMs + (i >> 1))
    })
    return {
      input,
      table: '',
      ticks,
      async check({ output }) {
        const found = new Map<string, number>()
        await readAll(broker, output, (key, value) => found.set(String(key), Number(String(value))))
        return compareCounts(expected, found)
      },
    }
  },
}
