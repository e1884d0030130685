import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type Broker,
  int64,
  partitionForKey,
  Streams,
  StreamsBuilder,
  type StreamsOptions,
  string,
  type Topology,
} from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'

export interface GroupHarness {
  readonly broker: Broker
  cleanup(): Promise<void>
}

const partitions = 4

/** What holds for several instances of one application, on either log (D14). */
export function describeGroups(name: string, open: () => Promise<GroupHarness>): void {
  describe(`instances of one application on ${name}`, () => {
    let harness: GroupHarness
    let broker: Broker
    let folder: string
    let app: string
    let counter = 0
    const running = new Set<Streams>()

    beforeAll(async () => {
      harness = await open()
      broker = harness.broker
    })
    afterAll(() => harness?.cleanup())
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'groups-test-'))
      app = `app-${process.pid}-${counter++}`
      await broker.admin.createTopics([
        { topic: `${app}-lines`, partitions },
        { topic: `${app}-counts`, partitions: 2 },
      ])
    })
    afterEach(async () => {
      await Promise.all([...running].map((streams) => streams.close()))
      running.clear()
      rmSync(folder, { recursive: true })
    })

    /** Two sub-topologies, so eight tasks, four of them with state. */
    function wordCount(): Topology {
      const builder = new StreamsBuilder()
      builder
        .stream(`${app}-lines`, { key: string(), value: string() })
        .flatMapValues((line) => line.split(' '), { value: string() })
        .groupBy((_key, word) => word, { key: string() })
        .count({ store: { name: 'counts' } })
        .toStream()
        .to(`${app}-counts`, { value: int64() })
      return builder.build()
    }

    const instance = (stateDir: string, options: Partial<StreamsOptions> = {}): Streams => {
      const streams = new Streams({
        topology: wordCount(),
        applicationId: app,
        broker,
        stateDir: join(folder, stateDir),
        commitIntervalMs: 10,
        heartbeatIntervalMs: 200,
        sessionTimeoutMs: 6000,
        ...options,
      })
      running.add(streams)
      return streams
    }

    let written = 0
    async function write(lines: readonly string[]): Promise<void> {
      const producer = await broker.openProducer()
      for (const line of lines) {
        const key = Buffer.from(`line-${written++}`)
        producer.append(`${app}-lines`, partitionForKey(key, partitions), key, Buffer.from(line), 1000 + written)
      }
      await producer.flush()
      await producer.close()
    }

    /** Every update of every word, in order. */
    async function updates(): Promise<Map<string, number[]>> {
      const table = new Map<string, number[]>()
      for (const { key, value } of await readAll(broker, `${app}-counts`)) {
        const list = table.get(key!) ?? []
        list.push(Number(Buffer.from(value!, 'latin1').readBigInt64BE()))
        table.set(key!, list)
      }
      return table
    }
    const counted = async (word: string): Promise<number> => (await updates()).get(word)?.at(-1) ?? 0

    const active = (streams: Streams): string[] =>
      streams
        .describeState()
        .tasks.filter(({ phase }) => phase !== 'standby')
        .map(({ taskId }) => taskId)
        .sort()
    const isBalanced = (...all: readonly Streams[]): boolean =>
      all.every(({ state }) => state === 'running') &&
      new Set(all.flatMap(active)).size === 2 * partitions &&
      all.flatMap(active).length === 2 * partitions &&
      all.every((streams) => Math.abs(active(streams).length - (2 * partitions) / all.length) < 1)

    test('share its tasks, count every record once, and one that closes leaves its tasks to the other at once', async () => {
      const first = instance('a')
      await first.start()
      expect(active(first)).toHaveLength(8)
      await write(['x y', 'x', 'x z', 'y x'])
      await eventually('four x', async () => (await counted('x')) === 4)
      const second = instance('b')
      await second.start()
      await eventually('both have half', () => isBalanced(first, second))
      await write(Array.from({ length: 20 }, () => 'x'))
      await eventually('twenty-four x', async () => (await counted('x')) === 24)
      const closedMs = performance.now()
      await first.close()
      await eventually('the second has all', () => isBalanced(second))
      expect(performance.now() - closedMs).toBeLessThan(5000) // a session would last 6 s
      await write(['x'])
      await eventually('twenty-five x', async () => (await counted('x')) === 25)
      expect(await counted('y')).toBe(2)
    })

    test('come and go under load: every record counts once, and only what has to move stops', async () => {
      const moves: string[] = []
      const watched = (name: string): Streams =>
        instance(name, {
          onCommitStep: () => undefined,
          logger: {
            debug: () => undefined,
            warn: () => undefined,
            error: () => undefined,
            info: (fields) => {
              const { event, leaving } = fields as { event?: string; leaving?: readonly string[] }
              if (event === 'group.assigned') moves.push(...(leaving ?? []).map((id) => `${name} gave ${id}`))
            },
          },
        })
      let isLoading = true
      let lines = 0
      const load = (async () => {
        while (isLoading) {
          await write(['w', 'w w', 'v'])
          lines++
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })()
      const [a, b, c] = [watched('a'), watched('b'), watched('c')]
      await a.start()
      await b.start()
      await eventually('two share', () => isBalanced(a, b))
      expect(moves).toHaveLength(4)
      await c.start()
      await eventually('three share', () => isBalanced(a, b, c))
      // Eight tasks on three: two or three each, so that the third takes two and nothing else moves.
      expect(moves).toHaveLength(6)
      moves.length = 0
      await a.close()
      await eventually('two are left', () => isBalanced(b, c))
      await b.close()
      await eventually('one is left', () => isBalanced(c))
      expect(moves).toHaveLength(0)
      isLoading = false
      await load
      await eventually('all counted', async () => (await counted('w')) === lines * 3 && (await counted('v')) === lines)
      for (const list of (await updates()).values()) {
        expect(list).toEqual([...list].sort((one, other) => one - other))
        expect(new Set(list).size).toBe(list.length)
      }
    })

    test('keep copies: a standby takes over with its lag to restore, and nothing more', async () => {
      await write(Array.from({ length: 300 }, (_, i) => `word-${i}`))
      const restored: number[] = []
      const first = instance('a', { standbyReplicas: 1 })
      await first.start()
      await eventually('all counted', async () => (await updates()).size === 300)
      const second = instance('b', {
        standbyReplicas: 1,
        onRestoreProgress: ({ restoredRecords, store }) => store === 'counts' && restored.push(restoredRecords),
      })
      await second.start()
      await eventually('both have half', () => isBalanced(first, second))
      await eventually('copies are complete', () => {
        const copies = [first, second].flatMap((streams) =>
          streams.describeState().tasks.filter(({ phase }) => phase === 'standby'),
        )
        return copies.length === 4 && copies.every(({ lag }) => lag === 0)
      })
      restored.length = 0
      await first.close()
      await eventually('the second has all', () => isBalanced(second))
      expect(restored).toEqual([])
      await write(Array.from({ length: 300 }, (_, i) => `word-${i}`))
      await eventually('counted on', async () => [...(await updates()).values()].every((list) => list.at(-1) === 2))
    })

    test('wait for a copy of their state, take the tasks over, and then rebalance no more', async () => {
      await write(Array.from({ length: 300 }, (_, i) => `word-${i}`))
      const options = { acceptableRecoveryLag: 20 }
      const before = instance('a', options)
      await before.start()
      await eventually('all counted', async () => (await updates()).size === 300)
      await before.close()
      // From its files it knows how far it goes: it is a home to go back to, for as long as nobody else has a copy.
      const first = instance('a', options)
      await first.start()
      let rebalances = 0
      const second = instance('b', { ...options, rebalanceListener: { onAssigned: () => void rebalances++ } })
      await second.start()
      await eventually('both have half', () => isBalanced(first, second))
      rebalances = 0
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(rebalances).toBe(0)
      expect(isBalanced(first, second)).toBe(true)
      await write(Array.from({ length: 300 }, (_, i) => `word-${i}`))
      await eventually('counted on', async () => [...(await updates()).values()].every((list) => list.at(-1) === 2))
    })

    test('run at least once, too', async () => {
      const options = { processingGuarantee: 'at-least-once' } as const
      const first = instance('a', options)
      await first.start()
      await write(['x y', 'x'])
      const second = instance('b', options)
      await second.start()
      await eventually('both have half', () => isBalanced(first, second))
      await write(['x'])
      await eventually('three x', async () => (await counted('x')) === 3)
      await first.close()
      await eventually('the second has all', () => isBalanced(second))
      await write(['x'])
      await eventually('four x', async () => (await counted('x')) === 4)
    })

    test('a third one whose state folder is a copy of another’s is told so, or takes its place', async () => {
      const first = instance('a')
      await first.start()
      await first.close()
      const { cpSync } = await import('node:fs')
      cpSync(join(folder, 'a'), join(folder, 'copy'), { recursive: true })
      const one = instance('a')
      await one.start()
      const other = instance('copy')
      await other.start()
      const error = await one.stopped
      expect(error).toMatchObject({ code: 'FENCED' })
      expect(error!.message).toContain('stateDir')
      expect(other.state).toBe('running')
    })

    test('wait while they are paused, and keep their tasks', async () => {
      const first = instance('a')
      await first.start()
      await write(['x'])
      await eventually('one x', async () => (await counted('x')) === 1)
      first.pause()
      await write(['x'])
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(await counted('x')).toBe(1)
      expect(active(first)).toHaveLength(8)
      first.resume()
      await eventually('two x', async () => (await counted('x')) === 2)
    })
  })
}
