import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { commitSteps, partitionForKey } from '../../src/index.ts'
import { readAll } from '../support/log-records.ts'

const words = ['a', 'b', 'c', 'd', 'e']
const lineCount = 60

function run(folder: string, step: string, phase: string, commit: number): Promise<NodeJS.Signals | number | null> {
  return new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, 'crash-program.ts')
    const child = spawn(process.execPath, [program, folder, step, phase, String(commit)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ?? code))
  })
}

async function writeLines(folder: string): Promise<void> {
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([
    { topic: 'lines', partitions: 2 },
    { topic: 'counts', partitions: 2 },
  ])
  const producer = await broker.openProducer()
  for (let i = 0; i < lineCount; i++) {
    const key = Buffer.from(`line-${i}`)
    producer.append('lines', partitionForKey(key, 2), key, Buffer.from(words.slice(0, (i % 5) + 1).join(' ')), 1000 + i)
    // One batch per line, so that there are many commits to die in.
    await producer.flush()
  }
  await broker.close()
}

/** Every count a read_committed reader ever saw, by word. */
async function countsSeen(folder: string): Promise<Map<string, number[]>> {
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  const seen = new Map<string, number[]>()
  for (const { key, value } of await readAll(broker, 'counts')) {
    const count = Number(Buffer.from(value!, 'latin1').readBigInt64BE())
    seen.set(key!, [...(seen.get(key!) ?? []), count])
  }
  await broker.close()
  return seen
}

test.each(commitSteps.flatMap((step) => [[step, 'before'] as const, [step, 'after'] as const]))(
  'a process killed in a commit, step "%s", %s it, counts every word once after its restart',
  async (step, phase) => {
    const folder = mkdtempSync(join(tmpdir(), 'crash-test-'))
    try {
      await writeLines(folder)
      expect(await run(folder, step, phase, 1)).toBe('SIGKILL')
      expect(await run(folder, step, phase, 1)).toBe('SIGKILL')
      expect(await run(folder, 'never', phase, 0)).toBe(0)
      const seen = await countsSeen(folder)
      for (const [i, word] of words.entries()) {
        const counts = seen.get(word)!
        expect(counts.at(-1)).toBe((lineCount / 5) * (5 - i))
        // Nothing counted twice on the way: a count never falls and no value comes twice.
        expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
