import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalKafka, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { type Broker, partitionForKey } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { eventually, readAll } from '../support/log-records.ts'
import { inputPartitions } from './chaos-topology.ts'

let kafka: LocalKafka
let broker: Broker
let folder: string
const children = new Set<ChildProcess>()

beforeAll(async () => {
  kafka = await startLocalKafka()
  broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers })
  folder = mkdtempSync(join(tmpdir(), 'failover-'))
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await broker?.close()
  await kafka?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Said {
  readonly event?: string
  readonly state?: string
  readonly active?: number
  readonly ids?: readonly string[]
  readonly atMs: number
}

/** One instance as a process of its own; `said` is what it has told. */
function startInstance(prefix: string, name: string, environment: { readonly [name: string]: string } = {}) {
  const program = join(import.meta.dirname, 'instance-program.ts')
  const child = spawn(process.execPath, [program, kafka.bootstrapServers, prefix, join(folder, `${prefix}-${name}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  children.add(child)
  const said: Said[] = []
  child.stdout.on('data', (chunk) => {
    for (const line of String(chunk).split('\n')) if (line !== '') said.push(JSON.parse(line) as Said)
  })
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  return { child, said, exited }
}
type Running = ReturnType<typeof startInstance>
const activeNow = ({ said }: Running): number => said.findLast(({ event }) => event === 'group.assigned')?.active ?? 0
const stateNow = ({ said }: Running): string => said.findLast(({ state }) => state !== undefined)?.state ?? ''

let number = 0
async function write(prefix: string, count: number): Promise<void> {
  const producer = await broker.openProducer()
  for (let i = 0; i < count; i++) {
    const key = Buffer.from(String(number))
    const value = Buffer.alloc(8)
    value.writeBigInt64BE(BigInt(number++))
    producer.append(`${prefix}-events`, partitionForKey(key, inputPartitions), key, value, Date.now())
  }
  await producer.flush()
  await producer.close()
}

async function prepare(prefix: string): Promise<void> {
  await broker.admin.createTopics([
    { topic: `${prefix}-events`, partitions: inputPartitions },
    ...['echo', 'totals', 'windows'].map((name) => ({ topic: `${prefix}-${name}`, partitions: 2 })),
  ])
}
const echoed = async (prefix: string): Promise<number> => (await readAll(broker, `${prefix}-echo`)).length

test(
  'an instance that is killed and started on its state folder is back at once, and the other does not notice',
  { timeout: 300_000 },
  async () => {
    await prepare('restart')
    // Longer than a busy machine takes to start a process.
    const session = { SESSION_TIMEOUT_MS: '30000' }
    const [a, b] = [startInstance('restart', 'a', session), startInstance('restart', 'b', session)]
    await eventually(
      'both have half',
      () => [a, b].every((each) => activeNow(each) === 4 && stateNow(each) === 'running'),
      60_000,
    )
    await write('restart', 100)
    await eventually('all passed on', async () => (await echoed('restart')) === 100, 60_000)
    const noticed = b.said.length
    a.child.kill('SIGKILL')
    await a.exited
    const startedMs = Date.now()
    const again = startInstance('restart', 'a', session)
    await eventually('it runs again', () => activeNow(again) === 4 && stateNow(again) === 'running', 60_000)
    // The session was not waited for.
    expect(Date.now() - startedMs).toBeLessThan(25_000)
    await write('restart', 100)
    await eventually('all passed on', async () => (await echoed('restart')) === 200, 60_000)
    expect(b.said.slice(noticed).filter(({ event }) => event === 'group.assigned')).toEqual([])
    for (const { child } of [again, b]) child.kill('SIGTERM')
    await Promise.all([again.exited, b.exited])
  },
)

test(
  'a transaction that a killed instance has left open holds readers until the others notice, not until its timeout',
  { timeout: 300_000 },
  async () => {
    await prepare('open')
    const a = startInstance('open', 'a', { KILL_IN_TRANSACTION: '3' })
    const b = startInstance('open', 'b')
    await eventually(
      'both have half',
      () => [a, b].every((each) => activeNow(each) === 4 && stateNow(each) === 'running'),
      60_000,
    )
    // Each write leads to a commit in both; the first instance dies in one of them, with its transaction open.
    let written = 0
    for (; a.child.exitCode === null && a.child.signalCode === null; written += 40) {
      await write('open', 40)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const killedMs = Date.now()
    await eventually('all passed on', async () => (await echoed('open')) === written, 90_000)
    // The session is 6 s, the transaction's timeout 60 s.
    expect(Date.now() - killedMs).toBeLessThan(45_000)
    const ends = () => b.said.filter(({ event }) => event === 'group.transactions-ended')
    // The log may tell a reader of the end before this process has read what the other printed.
    await eventually('the other said so', () => ends().length > 0, 10_000)
    expect(ends()).toHaveLength(1)
    b.child.kill('SIGTERM')
    await b.exited
  },
)

test(
  'an instance that was stopped for longer than its session comes back, and what it had not committed counts once',
  { timeout: 300_000 },
  async () => {
    await prepare('zombie')
    const [a, b] = [startInstance('zombie', 'a'), startInstance('zombie', 'b')]
    await eventually(
      'both have half',
      () => [a, b].every((each) => activeNow(each) === 4 && stateNow(each) === 'running'),
      60_000,
    )
    let written = 0
    const writeSome = async (): Promise<void> => {
      await write('zombie', 200)
      written += 200
    }
    await writeSome()
    a.child.kill('SIGSTOP')
    await writeSome()
    await eventually('the other took over', () => activeNow(b) === 8 && stateNow(b) === 'running', 90_000)
    await eventually('all passed on', async () => (await echoed('zombie')) === written, 60_000)
    a.child.kill('SIGCONT')
    await writeSome()
    await eventually(
      'they share again',
      () => [a, b].every((each) => activeNow(each) === 4 && stateNow(each) === 'running'),
      90_000,
    )
    await writeSome()
    await eventually('all passed on', async () => (await echoed('zombie')) === written, 60_000)
    const numbers = (await readAll(broker, 'zombie-echo')).map(({ value }) => value)
    expect(new Set(numbers).size).toBe(written)
    for (const { child } of [a, b]) child.kill('SIGTERM')
    await Promise.all([a.exited, b.exited])
  },
)
