/**
 * What a crash costs with a large state (D11, D12): an application with many keys is killed with SIGKILL while it works, and
 * started again. Its disk holds what was committed up to ten seconds before; the rest comes from the changelog.
 *
 *   node scripts/bootstrap.mjs bench/restart-after-crash.ts [--keys n] [--json]
 *
 * Beside it the same start without a disk, which restores everything.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openEmbeddedLog } from '../packages/stream-core/src/embedded.ts'
import { partitionForKey } from '../packages/stream-core/src/index.ts'

const { values } = parseArgs({
  options: { keys: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
})
const keys = Number(values.keys)
const partitions = 4

const folder = mkdtempSync(join(tmpdir(), 'restart-bench-'))
try {
  await write(keys, 0)
  await run(keys)
  // Some more, so that it works when it dies.
  const more = Math.ceil(keys / 20)
  await write(more, keys)
  await run(more, 'die')
  const crash = await run(0)
  rmSync(join(folder, 'state'), { recursive: true })
  const empty = await run(0)
  const rows = [
    { start: 'after SIGKILL', keys: keys + more, ...crash },
    { start: 'without a disk', keys: keys + more, ...empty },
  ]
  if (values.json) for (const row of rows) console.log(JSON.stringify(row))
  else console.table(rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function write(count: number, from: number): Promise<void> {
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  await broker.admin.createTopics([{ topic: 'keys', partitions }])
  const producer = await broker.openProducer()
  for (let i = from; i < from + count; i++) {
    const key = Buffer.from(`key-${Math.imul(i, 0x9e3779b1) >>> 0}-${i}`)
    producer.append('keys', partitionForKey(key, partitions), key, Buffer.from('v'), 1_700_000_000_000 + i)
    if (i % 10_000 === 0) await producer.flush()
  }
  await producer.flush()
  await broker.close()
}

interface Start {
  readonly startMs: number
  /** Restored from the changelog. */
  readonly records: number
  readonly bytes: number
}

function run(records: number, die = ''): Promise<Start> {
  return new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, 'support', 'key-count.ts')
    const child = spawn(process.execPath, [program, folder, String(records), die], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (code === 0 || (signal === 'SIGKILL' && die !== '')) resolve(JSON.parse(output.split('\n')[0]!) as Start)
      else reject(new Error(`it ended with ${signal ?? code}: ${output}`))
    })
  })
}
