import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { asProperties, type Ports, type Settings } from './settings.ts'

const startDeadlineMs = 90_000
/** Any will do; the nodes of a cluster share it. */
const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg'

export interface NodeParts {
  readonly folder: string
  readonly classPath: string
  readonly settings: Settings
  readonly ports: Ports
  /** How many brokers there are before one is ready. */
  readonly clusterSize: number
  /** Of memory and garbage collection, instead of ours, which are for small brokers. */
  readonly jvmFlags?: readonly string[] | undefined
}

const log4j = `Configuration:
  status: ERROR
  Appenders: { Console: { name: out, PatternLayout: { pattern: "%d %p %m (%c)%n" } } }
  Loggers: { Root: { level: WARN, AppenderRef: { ref: out } } }
`

/** One Kafka process, broker and controller at once, on a folder of its own. */
export class KafkaNode {
  readonly #parts: NodeParts
  #process: ChildProcess | null = null

  constructor(parts: NodeParts) {
    this.#parts = parts
  }

  get address(): string {
    return `127.0.0.1:${this.#parts.ports.client}`
  }

  /** Where nobody is asked who he is, and nothing is encrypted. */
  get internalAddress(): string {
    return `127.0.0.1:${this.#parts.ports.internal}`
  }

  /** −1 while it is down. */
  get pid(): number {
    return this.isRunning ? this.#process!.pid! : -1
  }

  get isRunning(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null
  }

  async format(options: readonly string[]): Promise<void> {
    const { folder, settings } = this.#parts
    mkdirSync(join(folder, 'tmp'), { recursive: true })
    writeFileSync(join(folder, 'server.properties'), asProperties(settings))
    writeFileSync(join(folder, 'log4j2.yaml'), log4j)
    const command = ['format', '-t', clusterId, '-c', join(folder, 'server.properties'), ...options]
    const code = await this.#run('kafka.tools.StorageTool', ...command)
    if (code !== 0) throw new Error(`Kafka's storage could not be formatted:\n${this.#output()}`)
  }

  /** Starts the process; `untilReady` waits for it. */
  launch(): void {
    if (!this.isRunning) void this.#run('kafka.Kafka', join(this.#parts.folder, 'server.properties'))
  }

  /** Until it answers, and knows of as many brokers as there should be. */
  async untilReady(brokers = this.#parts.clusterSize): Promise<void> {
    const endMs = Date.now() + startDeadlineMs
    while ((await knownBrokers(this.#parts.ports.internal)) < brokers) {
      if (!this.isRunning || Date.now() > endMs) {
        this.kill('SIGKILL')
        throw new Error(`Kafka did not start:\n${this.#output()}`)
      }
      await delay(100)
    }
  }

  kill(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#process!.kill(signal)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return
    const exited = new Promise((resolve) => this.#process!.once('exit', resolve))
    this.kill(signal)
    if (signal !== 'SIGKILL') this.kill('SIGCONT') // one that is stopped does not hear
    await exited
  }

  /** On the same folder and port, while at least `brokers` are up with it. */
  async start(brokers?: number): Promise<void> {
    this.launch()
    await this.untilReady(brokers)
  }

  async restart({ signal = 'SIGTERM', downMs = 0 }: RestartOptions = {}): Promise<void> {
    await this.stop(signal)
    if (downMs > 0) await delay(downMs)
    await this.start()
  }

  /** The shell notes its own id before it becomes Java, so that whoever cleans up after us knows of it whenever we die. */
  #run(...command: string[]): Promise<number | null> {
    const { folder, classPath } = this.#parts
    const flags = [
      ...(this.#parts.jvmFlags ?? ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC']),
      '-XX:-UsePerfData',
      `-Djava.io.tmpdir=${join(folder, 'tmp')}`,
      `-Dlog4j2.configurationFile=${join(folder, 'log4j2.yaml')}`,
    ]
    const script = 'echo $$ > "$0" && exec java "$@"'
    // Into a file: a pipe that its reader has no time for would bring Kafka to a stand.
    const output = openSync(join(folder, 'output.log'), 'w')
    const child = spawn('sh', ['-c', script, join(folder, 'pid'), ...flags, '-cp', classPath, ...command], {
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    this.#process = child
    return new Promise((resolve) => child.on('exit', resolve))
  }

  #output(): string {
    return readFileSync(join(this.#parts.folder, 'output.log'), 'utf8').slice(-20_000)
  }
}

export interface RestartOptions {
  readonly signal?: NodeJS.Signals
  readonly downMs?: number
}

/** A Metadata request of version 1, by hand: the broker's answer begins with all brokers it knows. 0 without an answer. */
function knownBrokers(port: number): Promise<number> {
  const request = Buffer.alloc(18)
  request.writeInt32BE(14, 0)
  request.writeInt16BE(3, 4) // Metadata
  request.writeInt16BE(1, 6)
  request.writeInt32BE(1, 8) // correlation id
  request.writeInt16BE(-1, 12) // client id
  request.writeInt32BE(0, 14) // of no topics
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    const finish = (count: number): void => {
      socket.destroy()
      resolve(count)
    }
    let answer = Buffer.alloc(0)
    socket.setTimeout(2000, () => finish(0))
    socket.on('error', () => finish(0))
    socket.on('close', () => finish(0))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= 12) finish(answer.readInt32BE(8))
    })
  })
}

/**
 * Ports of the loopback address that nobody listens on now, below those that the system gives to outgoing connections:
 * a broker that is down for a while finds its own free again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  const ports: number[] = []
  while (ports.length < count) {
    const port = 15_000 + Math.floor(Math.random() * 17_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    servers.push(server)
    ports.push(port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
