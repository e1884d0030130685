import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { type Broker, partitionForKey, Streams } from '../../src/index.ts'
import { TaskDatabase } from '../../src/state/task-database.ts'
import { chaosTopology, groupCount, inputPartitions } from '../chaos/chaos-topology.ts'
import { reconcile } from '../chaos/reconcile.ts'
import { Random } from '../simulation/random.ts'
import { readAll } from '../support/log-records.ts'

/**
 * What a power cut leaves (design §5.4): files whose newest writes never reached the disk. SQLite's write-ahead log is
 * written from its beginning to its end, so a cut is a shorter one; the state's files are not synchronised with the log's, and
 * may be older or newer than it.
 */
const images = 24
const random = new Random(20_261_125)
let folder: string
/** Checkpoints would move frames out of reach of a cut. */
const checkpoint = Object.getOwnPropertyDescriptor(TaskDatabase.prototype, 'checkpoint')!

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'power-loss-'))
  TaskDatabase.prototype.checkpoint = () => undefined
})
afterAll(() => {
  Object.defineProperty(TaskDatabase.prototype, 'checkpoint', checkpoint)
  rmSync(folder, { recursive: true })
})

const open = (broker: Broker, at: string): Streams =>
  new Streams({
    topology: chaosTopology('p'),
    applicationId: 'p',
    broker,
    stateDir: join(at, 'state'),
    commitIntervalMs: 5,
    persistIntervalMs: 15,
    heartbeatIntervalMs: 50,
  })

/** Shortens a write-ahead log to a random place, mostly in the middle of a frame. */
function cut(path: string): void {
  if (!existsSync(path)) return
  const { size } = statSync(path)
  truncateSync(path, Math.floor(size * (random.chance(0.3) ? 1 : random.next())))
}

function* filesIn(at: string): Generator<string> {
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    const path = join(at, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else yield path
  }
}

test(
  'after a power cut, state and log open again, and every record that the log still has counts once',
  { timeout: 600_000 },
  async () => {
    const running = join(folder, 'running')
    mkdirSync(running)
    const broker = await openEmbeddedLog({ path: join(running, 'log.db') })
    await broker.admin.createTopics([
      { topic: 'p-events', partitions: inputPartitions },
      ...['echo', 'totals', 'windows'].map((name) => ({ topic: `p-${name}`, partitions: 2 })),
    ])
    const streams = open(broker, running)
    await streams.start()
    const producer = await broker.openProducer()
    const acknowledged: number[] = []
    let written = 0
    for (let image = 0; image < images; image++) {
      for (let batch = 0; batch < 4; batch++) {
        for (let i = 0; i < 10; i++) {
          const key = Buffer.from(String(written % (groupCount * 20)))
          const value = Buffer.alloc(8)
          value.writeBigInt64BE(BigInt(written++))
          producer.append('p-events', partitionForKey(key, inputPartitions), key, value, 1_700_000_000_000 + written)
        }
        await producer.flush()
        await new Promise((resolve) => setTimeout(resolve, random.below(12)))
      }
      acknowledged.push(written)
      // As they are at this moment: nothing else runs while they are copied.
      const at = join(folder, `image-${image}`)
      mkdirSync(at)
      for (const name of ['log.db', 'log.db-wal']) copyFileSync(join(running, name), join(at, name))
      cpSync(join(running, 'state'), join(at, 'state'), { recursive: true })
    }
    await streams.close()
    await broker.close()

    let cutLogs = 0
    for (let image = 0; image < images; image++) {
      const at = join(folder, `image-${image}`)
      // The log is synchronised before it acknowledges: in two of three images only the state has lost something.
      const isLogCut = image % 3 === 0
      if (isLogCut) cut(join(at, 'log.db-wal'))
      for (const path of filesIn(join(at, 'state'))) {
        if (path.endsWith('-shm')) rmSync(path)
        else if (path.endsWith('state.db-wal')) cut(path)
      }
      const again = await openEmbeddedLog({ path: join(at, 'log.db') })
      const input = (await again.admin.listTopics()).includes('p-events') ? await readAll(again, 'p-events') : []
      if (!isLogCut) expect(input.length, `image ${image}: what was acknowledged`).toBe(acknowledged[image])
      if ((await again.admin.describeTopics(['p-echo', 'p-totals', 'p-windows'])).size === 3) {
        if (isLogCut) cutLogs++
        const next = open(again, at)
        await next.start()
        const result = await reconcile(again, 'p', input.length, chaosTopology('p'), 60_000)
        await next.close()
        expect(result, `image ${image}`).toEqual({ written: input.length, lost: 0, doubled: 0, wrong: [] })
      }
      await again.close()
    }
    // The cuts were not all at the very beginning.
    expect(cutLogs).toBeGreaterThan(2)
  },
)
