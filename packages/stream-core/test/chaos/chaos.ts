import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, type LocalKafka, startLocalKafka } from '../../../../scripts/local-kafka.ts'
import { type Broker, partitionForKey } from '../../src/index.ts'
import { kafkaBroker } from '../../src/kafka.ts'
import { chaosTopology, groupCount, inputPartitions } from './chaos-topology.ts'
import { reconcile, type Reconciliation } from './reconcile.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly durationMs: number
  readonly instances: number
  readonly log: (text: string) => void
  /** Where what the instances say is kept; none: it goes with the run. */
  readonly logFile?: string
}

export interface ChaosReport extends Reconciliation {
  readonly seed: number
  readonly faults: { readonly [fault: string]: number }
  /** How often instances restored, were lost to the group, and were assigned tasks. */
  readonly events: { readonly [event: string]: number }
  /** What an instance failed of, and not because it was killed. */
  readonly failures: readonly string[]
}

interface Instance {
  readonly name: string
  child: ChildProcess | null
  isStopped: boolean
  /** What it said last. */
  state: string
  active: number
  exited: Promise<void>
}

const program = join(import.meta.dirname, 'instance-program.ts')
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A generator that repeats with its seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * Chaos on a real Kafka (design §5.5): several instances of one application count what a producer writes without a pause,
 * while instances are killed, stopped and continued, lose their disks, the broker restarts, and lines are cut after a
 * request was passed on. Then everything is let run until it is done, and every record is reconciled.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, log } = options
  const random = randomFrom(seed)
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'))
  const [proxyPort] = await freePorts(1)
  const kafka = await startLocalKafka({ proxyPort: proxyPort!, log })
  const proxy = await startTcpProxy(proxyPort!, kafka.proxiedPort, random)
  const broker = kafkaBroker({ bootstrapServers: kafka.bootstrapServers, clientId: 'chaos-test' })
  const prefix = `chaos-${seed}`
  await broker.admin.createTopics([
    { topic: `${prefix}-events`, partitions: inputPartitions },
    ...['echo', 'totals', 'windows'].map((name) => ({ topic: `${prefix}-${name}`, partitions: 2 })),
  ])
  const run = new ChaosRun({ options, kafka, proxy, broker, prefix, folder, proxyPort: proxyPort!, random })
  try {
    return await run.run()
  } finally {
    await run.end()
    await broker.close()
    await proxy.stop()
    await kafka.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface ChaosParts {
  readonly options: ChaosOptions
  readonly kafka: LocalKafka
  readonly proxy: TcpProxy
  readonly broker: Broker
  readonly prefix: string
  readonly folder: string
  readonly proxyPort: number
  readonly random: () => number
}

class ChaosRun {
  readonly #parts: ChaosParts
  readonly #instances: Instance[]
  readonly #faults: { [fault: string]: number } = {}
  readonly #events: { [event: string]: number } = {}
  readonly #failures: string[] = []
  #written = 0
  #isWriting = true
  #isOver = false

  constructor(parts: ChaosParts) {
    this.#parts = parts
    this.#instances = Array.from({ length: parts.options.instances }, (_, i) => ({
      name: `i${i}`,
      child: null,
      isStopped: false,
      state: '',
      active: 0,
      exited: Promise.resolve(),
    }))
  }

  async run(): Promise<ChaosReport> {
    const { durationMs, log, seed } = this.#parts.options
    for (const instance of this.#instances) this.#start(instance)
    const writing = this.#write()
    const endMs = Date.now() + durationMs
    await delay(5000)
    while (Date.now() < endMs) {
      await this.#fault()
      await delay(300 + this.#parts.random() * 2500)
    }
    // Everything gets well, and what is left is counted.
    this.#isWriting = false
    await writing
    this.#parts.proxy.cutProbability = 0
    for (const instance of this.#instances) {
      if (instance.isStopped) this.#continue(instance)
      if (instance.child === null) this.#start(instance)
    }
    log(`chaos ${seed}: ${this.#written} records written, ${JSON.stringify(this.#faults)}`)
    const isShared = (): boolean => this.#instances.every(({ active, state }) => active >= 2 && state === 'running')
    for (const lastMs = Date.now() + 90_000; !isShared() && Date.now() < lastMs;) await delay(200)
    if (!isShared()) {
      const found = this.#instances.map(({ name, state, active }) => `${name} ${state} with ${active} tasks`)
      this.#failures.push(`the instances do not share the tasks again: ${found.join(', ')}`)
    }
    const result = await reconcile(
      this.#parts.broker,
      this.#parts.prefix,
      this.#written,
      chaosTopology(this.#parts.prefix),
      120_000,
    )
    return {
      ...result,
      seed,
      faults: { ...this.#faults, ...this.#cuts() },
      events: this.#events,
      failures: this.#failures,
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    this.#isWriting = false
    for (const { child } of this.#instances) child?.kill('SIGKILL')
    await Promise.all(this.#instances.map(({ exited }) => exited))
  }

  #cuts(): { [fault: string]: number } {
    return Object.fromEntries([...this.#parts.proxy.cuts].map(([key, count]) => [`cut after request ${key}`, count]))
  }

  async #fault(): Promise<void> {
    const instance = this.#instances[Math.floor(this.#parts.random() * this.#instances.length)]!
    const dice = this.#parts.random()
    if (dice < 0.3) return this.#kill(instance, 'kill -9')
    if (dice < 0.4) {
      await this.#kill(instance, 'kill -9 and lose the disk', true)
      return
    }
    if (dice < 0.6) return this.#stop(instance)
    if (dice < 0.7) return this.#close(instance)
    if (dice < 0.85) {
      this.#count('cut lines')
      this.#parts.proxy.cutAll()
      return
    }
    if (dice < 0.93) {
      this.#count('cut answers for a while')
      this.#parts.proxy.cutProbability = 0.05
      await delay(1500)
      this.#parts.proxy.cutProbability = 0
      return
    }
    this.#count('restart the broker')
    await this.#parts.kafka.restart({
      signal: this.#parts.random() < 0.5 ? 'SIGTERM' : 'SIGKILL',
      downMs: this.#parts.random() * 1000,
    })
  }

  async #kill(instance: Instance, name: string, losesDisk = false): Promise<void> {
    if (instance.child === null) return this.#start(instance)
    this.#count(name)
    instance.child.kill('SIGKILL')
    await instance.exited
    if (losesDisk) rmSync(join(this.#parts.folder, instance.name), { recursive: true, force: true })
    // Sometimes at once, sometimes after the group has given it up.
    setTimeout(() => this.#start(instance), this.#parts.random() < 0.5 ? 0 : this.#parts.random() * 9000)
  }

  /** A zombie: it does not know how long it was away. */
  #stop(instance: Instance): void {
    if (instance.child === null || instance.isStopped) return
    this.#count('stop and continue')
    instance.isStopped = true
    instance.child.kill('SIGSTOP')
    setTimeout(() => this.#continue(instance), 500 + this.#parts.random() * 10_000)
  }

  #continue(instance: Instance): void {
    if (!instance.isStopped) return
    instance.isStopped = false
    instance.child?.kill('SIGCONT')
  }

  async #close(instance: Instance): Promise<void> {
    if (instance.child === null || instance.isStopped) return
    this.#count('close')
    instance.child.kill('SIGTERM')
    const isClosed = await Promise.race([instance.exited.then(() => true), delay(40_000).then(() => false)])
    if (!isClosed) this.#failures.push(`${instance.name} did not close within 40 s`)
    setTimeout(() => this.#start(instance), this.#parts.random() * 2000)
  }

  #start(instance: Instance): void {
    if (instance.child !== null || this.#isOver) return
    const stateDir = join(this.#parts.folder, instance.name)
    mkdirSync(stateDir, { recursive: true })
    const child = spawn(
      process.execPath,
      [program, `127.0.0.1:${this.#parts.proxyPort}`, this.#parts.prefix, stateDir],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    instance.child = child
    instance.state = ''
    instance.active = 0
    const hear = (chunk: unknown): void => {
      for (const line of String(chunk).split('\n')) if (line !== '') this.#hear(instance, line)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    instance.exited = new Promise((resolve) =>
      child.on('exit', (code, signal) => {
        if (instance.child === child) instance.child = null
        instance.isStopped = false
        if (signal === null && code !== 0) {
          this.#failures.push(`${instance.name} ended with ${code}`)
          setTimeout(() => this.#start(instance), 1000)
        }
        resolve()
      }),
    )
  }

  #hear(instance: Instance, line: string): void {
    if (this.#parts.options.logFile !== undefined)
      appendFileSync(this.#parts.options.logFile, `${instance.name} ${line}\n`)
    try {
      const said = JSON.parse(line) as { [name: string]: string | undefined } & { readonly active?: number }
      const { event, level, error, text, state, active } = said
      if (state !== undefined) instance.state = state
      if (active !== undefined) instance.active = active
      if (event !== undefined) this.#events[event] = (this.#events[event] ?? 0) + 1
      if (level === 'error') this.#failures.push(`${instance.name}: ${text} ${error ?? ''}`)
    } catch {
      this.#failures.push(`${instance.name}: ${line}`)
    }
  }

  #count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
    this.#parts.options.log(`chaos ${this.#parts.options.seed}: ${fault}`)
  }

  /** Numbers from 0, each once, some five hundred a second; a broker that is away is waited for. */
  async #write(): Promise<void> {
    const producer = await this.#parts.broker.openProducer()
    while (this.#isWriting) {
      for (let i = 0; i < 10; i++) {
        const number = this.#written++
        const key = Buffer.from(String(number % (groupCount * 20)))
        const value = Buffer.alloc(8)
        value.writeBigInt64BE(BigInt(number))
        producer.append(`${this.#parts.prefix}-events`, partitionForKey(key, inputPartitions), key, value, Date.now())
      }
      await producer.flush()
      await delay(20)
    }
    await producer.close()
  }
}
