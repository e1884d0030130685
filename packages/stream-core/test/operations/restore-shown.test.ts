import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, type LogReader, Streams, StreamsBuilder, string } from '../../src/index.ts'
import { type GroupDescription, operationsHandler } from '../../src/operations.ts'
import { freePort, get, serve, stop, until } from './support.ts'

let folder: string
let log: Broker

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operations-restore-'))
  log = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await log.admin.createTopics([{ topic: 'words', partitions: 1 }])
})
afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

/** The same object with some methods of another. */
const overriding = <T extends object>(target: T, own: Partial<T>): T =>
  new Proxy(target, {
    get(_, name) {
      const found: unknown = (own as never)[name] ?? Reflect.get(target, name, target)
      return typeof found === 'function' ? (found.bind(target) as unknown) : found
    },
  })

/** A log whose changelogs come in small pieces, of which the first one is all that comes until `release` is called. */
function slowChangelogs(broker: Broker): { readonly slow: Broker; readonly release: () => void } {
  const released = Promise.withResolvers<void>()
  const openReader: Broker['openReader'] = (options) => {
    const reader = broker.openReader({ ...options, partitionMaxBytes: 2000 })
    let isOfChangelog = false
    let pieces = 0
    const slowed: Pick<LogReader, 'add' | 'poll'> = {
      add(positions) {
        isOfChangelog ||= positions.some(({ topic }) => topic.endsWith('-changelog'))
        reader.add(positions)
      },
      async poll(waitMs) {
        if (isOfChangelog && pieces > 0) await released.promise
        const fetched = await reader.poll(waitMs)
        if (isOfChangelog && fetched.length > 0) pieces++
        return fetched
      },
    }
    return overriding(reader, slowed)
  }
  const slow = overriding(broker, { openReader })
  return { slow, release: () => released.resolve() }
}

function wordCount(broker: Broker, stateDir: string): Streams {
  const builder = new StreamsBuilder()
  builder
    .stream('words', { key: string(), value: string() })
    .groupByKey()
    .count({ store: { name: 'counts' } })
  const options = { applicationId: 'app', stateDir: join(folder, stateDir), commitIntervalMs: 5 }
  return new Streams({ topology: builder.build(), broker, ...options })
}

test('a restore is shown while it goes on: how far, how much is left, how long it takes, and where in the changelog', async () => {
  const producer = await log.openProducer()
  const first = wordCount(log, 'a')
  await first.start()
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 50; i++) producer.append('words', 0, Buffer.from(`${round}/${i}`), Buffer.from('x'), 1000)
    await producer.flush()
    // A batch of its own in the changelog for each.
    await until(async () => expect(first.describeState().tasks[0]!.inputs[0]!.position).toBeGreaterThan(round * 50))
  }
  await until(async () => expect(first.describeState().tasks[0]!.recordsProcessed).toBe(1000))
  await first.close()
  await producer.close()

  const { slow, release } = slowChangelogs(log)
  const second = wordCount(slow, 'b')
  const server = await serve(await freePort(), operationsHandler(second, { freshMs: 0 }))
  const { port } = server.address() as { port: number }
  try {
    const started = second.start()
    await until(async () => {
      const { tasks, findings } = JSON.parse((await get(port, '/operations.json')).text) as GroupDescription
      expect(tasks[0]).toMatchObject({ taskId: '0_0', phase: 'restoring', owner: expect.any(String) })
      const { done, left, etaMs, changelogs } = tasks[0]!.restore!
      expect(done).toBeGreaterThan(0)
      expect(left).toBeGreaterThan(0)
      expect(etaMs).toBeGreaterThan(0)
      expect(changelogs).toEqual([{ topic: 'app-counts-changelog', from: 0, position: done, end: done + left }])
      expect(findings).toContainEqual(
        expect.objectContaining({
          text: expect.stringMatching(/^1 task being restored \(0_0\): .* records? left, about/),
        }),
      )
    })
    const [page, text] = [(await get(port, '/operations')).text, (await get(port, '/operations.txt')).text]
    expect(page).toMatch(/<progress max="1" value="0\.\d+"/)
    for (const shown of [page, text]) expect(shown).toMatch(/◐ restoring \d+ %, .* to go/)
    release()
    await started
    await until(async () => {
      const { tasks, timeline } = JSON.parse((await get(port, '/operations.json')).text) as GroupDescription
      expect(tasks[0]).toMatchObject({ phase: 'running', restore: null })
      expect(timeline.map(({ kind, text: told }) => `${kind}: ${told}`)).toContain(
        'restored: task 0_0 has its state: 1000 records of its changelogs',
      )
    })
  } finally {
    release()
    await second.close()
    await stop(server)
  }
})
