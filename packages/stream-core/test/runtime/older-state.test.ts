import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { metricsText } from '../../src/metrics.ts'
import { createTopics, open, results, topology, untilRead, write } from '../fixtures/every-store.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures')
const versions = readdirSync(fixtures).filter((name) => /^v\d/.test(name))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'older-state-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function unpack(version: string): void {
  const from = join(fixtures, version)
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.gz') || !statSync(join(from, name)).isFile()) continue
    const target = join(folder, name.slice(0, -3))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, gunzipSync(readFileSync(join(from, name))))
  }
}

/** What an application of this version says that has read all of it. */
async function fresh(): Promise<{ [topic: string]: string[] }> {
  const broker = await openEmbeddedLog({ path: join(folder, 'fresh', 'log.db') })
  await createTopics(broker)
  for (const part of ['first', 'second'] as const) {
    await write(broker, part)
    const streams = await open(broker, join(folder, 'fresh', 'state'))
    await untilRead(broker)
    await streams.close()
  }
  const said = await results(broker)
  await broker.close()
  return said
}

test('there is a fixture, and it has a store of each kind', () => {
  expect(versions).toContain('v0.1.0')
  const { stores, globalStores } = topology()
  expect(new Set(stores.map(({ kind }) => kind))).toEqual(
    new Set([
      'keyValue',
      'window',
      'session',
      'versioned',
      'suppressBuffer',
      'graceBuffer',
      'outerJoin',
      'subscription',
    ]),
  )
  expect(globalStores).toHaveLength(1)
})

test.each(versions)(
  'what %s left on disk is gone on from: its state without a restore, its log as it is',
  async (version) => {
    unpack(version)
    const before = JSON.parse(readFileSync(join(fixtures, version, 'results.json'), 'utf8')) as {
      [topic: string]: string[]
    }
    const broker = await openEmbeddedLog({ path: join(folder, 'log', 'log.db') })
    expect(await results(broker)).toEqual(before)
    await write(broker, 'second')
    const restored: string[] = []
    const warnings: (string | undefined)[] = []
    const streams = await open(broker, join(folder, 'state'), {
      logger: { debug() {}, info() {}, error() {}, warn: ({ event }: { event?: string }) => void warnings.push(event) },
      restoreListener: {
        onEnd: ({ store, restoredRecords }) => void (restoredRecords > 0 && restored.push(store)),
      },
    })
    // What is in memory only comes from its changelog.
    const inMemory = topology().stores.filter((spec) => spec.inMemory || spec.kind === 'suppressBuffer')
    expect(inMemory.map(({ name }) => name)).toEqual(expect.arrayContaining(restored))
    expect(restored).toEqual(expect.arrayContaining(['kept-memory', 'kept-recent']))
    expect(metricsText(streams)).toContain('streams_records_processed_total{task="global"} 0\n')
    expect(warnings).toEqual(['topology.generated-names'])
    await untilRead(broker)
    await streams.close()
    const after = await results(broker)
    await broker.close()
    expect(after).toEqual(await fresh())
    for (const topic of Object.keys(before)) expect(after[topic], topic).not.toEqual(before[topic])
  },
)
