import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A real Apache Kafka broker for tests (D4): KRaft mode, one node, free ports on the loopback address, a temporary folder.
 *
 *   1. Copy the jars once, by Maven, into .tools/kafka-libs; two processes may come at once.
 *   2. Format the folder, start the broker, wait until it answers.
 *   3. `stop` ends it and removes the folder. A small shell does the same when the starter is gone, however that went.
 */
export interface LocalKafkaOptions {
  /** Settings of the broker besides ours. */
  readonly properties?: { readonly [name: string]: string }
  /** Feature levels of the new cluster, for example `{ 'transaction.version': 1 }`. */
  readonly features?: { readonly [name: string]: number }
  /** The broker also listens on `proxiedPort` and tells those clients to come to this port, where a proxy stands. */
  readonly proxyPort?: number
  readonly log?: (text: string) => void
}

export interface LocalKafka {
  readonly bootstrapServers: string
  /** Where a proxy passes on to; 0 without one. */
  readonly proxiedPort: number
  readonly pid: number
  kill(signal: NodeJS.Signals): void
  /** Ends the broker and starts it again on the same folder and port. */
  restart(options?: { readonly signal?: NodeJS.Signals; readonly downMs?: number }): Promise<void>
  stop(): Promise<void>
}

const libs = join(import.meta.dirname, '..', '.tools', 'kafka-libs')
const pom = join(import.meta.dirname, 'kafka', 'pom.xml')
const startDeadlineMs = 60_000

/** Why a broker cannot be started here; null when it can. */
export function kafkaAvailable(): string | null {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (java.error) return 'Java is not installed: Kafka needs Java 17'
  const major = Number(/version "(\d+)/.exec(java.stderr)?.[1] ?? 0)
  if (major < 17) return `Kafka needs Java 17, found ${major}`
  if (!isComplete() && spawnSync('mvn', ['-version']).error)
    return 'Maven is not installed: it brings the jars of Kafka'
  return null
}

const isComplete = (): boolean =>
  existsSync(join(libs, '.complete')) && readFileSync(join(libs, '.complete'), 'utf8') === readFileSync(pom, 'utf8')

/** Step 1. */
async function provideJars(log: (text: string) => void): Promise<void> {
  const lock = `${libs}.lock`
  while (!isComplete()) {
    mkdirSync(join(libs, '..'), { recursive: true })
    try {
      mkdirSync(lock)
    } catch {
      if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true })
      else await delay(500)
      continue
    }
    try {
      writeFileSync(join(lock, 'pid'), String(process.pid))
      log('Getting the jars of Kafka by Maven (once)')
      rmSync(libs, { recursive: true, force: true })
      const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
      const done = spawnSync('mvn', ['-q', '-B', '-f', pom, plugin, `-DoutputDirectory=${libs}`], { encoding: 'utf8' })
      if (done.status !== 0) throw new Error(`Maven could not get Kafka's jars:\n${done.stdout}${done.stderr}`)
      writeFileSync(join(libs, '.complete'), readFileSync(pom, 'utf8'))
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
}

/** Whoever holds the lock was killed. */
function isAbandoned(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

export async function startLocalKafka(options: LocalKafkaOptions = {}): Promise<LocalKafka> {
  const log = options.log ?? (() => undefined)
  const missing = kafkaAvailable()
  if (missing !== null) throw new Error(missing)
  await provideJars(log)
  const folder = mkdtempSync(join(tmpdir(), 'local-kafka-'))
  const [port, controllerPort, proxied] = await freePorts(3)
  const proxiedPort = options.proxyPort === undefined ? 0 : proxied!
  const extra = { ...proxyProperties(port!, controllerPort!, proxiedPort, options.proxyPort), ...options.properties }
  const bootstrapServers = `127.0.0.1:${port}`
  writeFileSync(join(folder, 'server.properties'), properties(folder, port!, controllerPort!, extra))
  writeFileSync(join(folder, 'log4j2.yaml'), log4j)
  const format = java(
    folder,
    'kafka.tools.StorageTool',
    'format',
    '--standalone',
    '-t',
    'MkU3OEVBNTcwNTJENDM2Qg',
    '-c',
    join(folder, 'server.properties'),
    ...Object.entries(options.features ?? {}).flatMap(([name, level]) => ['--feature', `${name}=${level}`]),
  )
  const formatted = await finish(format)
  if (formatted.code !== 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`Kafka's storage could not be formatted:\n${formatted.output}`)
  }
  watchStarter(folder)
  let broker = await startBroker(folder, port!)
  const stopBroker = async (signal: NodeJS.Signals): Promise<void> => {
    if (broker.exitCode !== null || broker.signalCode !== null) return
    const exited = new Promise((resolve) => broker.once('exit', resolve))
    broker.kill(signal)
    await exited
  }
  const onExit = (): void => void broker.kill('SIGKILL')
  process.once('exit', onExit)
  return {
    bootstrapServers,
    proxiedPort,
    get pid() {
      return broker.pid!
    },
    kill: (signal) => void broker.kill(signal),
    async restart({ signal = 'SIGTERM', downMs = 0 } = {}) {
      await stopBroker(signal)
      if (downMs > 0) await delay(downMs)
      broker = await startBroker(folder, port!)
    },
    async stop() {
      process.off('exit', onExit)
      await stopBroker('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function proxyProperties(port: number, controllerPort: number, proxiedPort: number, proxyPort: number | undefined) {
  if (proxyPort === undefined) return {}
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`]
  return {
    listeners: [...listeners, `PROXIED://127.0.0.1:${proxiedPort}`].join(','),
    'advertised.listeners': `${listeners[0]},PROXIED://127.0.0.1:${proxyPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT',
  }
}

function properties(
  folder: string,
  port: number,
  controllerPort: number,
  extra: { readonly [name: string]: string },
): string {
  const settings: { readonly [name: string]: string } = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}`,
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '5',
    'share.coordinator.state.topic.replication.factor': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    ...extra,
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

const log4j = `Configuration:
  status: ERROR
  Appenders: { Console: { name: out, PatternLayout: { pattern: "%d %p %m (%c)%n" } } }
  Loggers: { Root: { level: WARN, AppenderRef: { ref: out } } }
`

/** Runs one of Kafka's own Java programs, or a Java file; the child is the caller's to end. */
export function runJava(...command: string[]): ChildProcess {
  return spawn('java', ['-Xmx256m', '-XX:+UseSerialGC', '-cp', classPath(), ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

const classPath = (): string =>
  readdirSync(libs)
    .filter((name) => name.endsWith('.jar'))
    .map((name) => join(libs, name))
    .join(':')

function java(folder: string, ...command: string[]): ChildProcess {
  const flags = [
    '-Xmx512m',
    '-Xms256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=4',
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.yaml')}`,
  ]
  return spawn('java', [...flags, '-cp', classPath(), ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Step 2. */
async function startBroker(folder: string, port: number): Promise<ChildProcess> {
  const broker = java(folder, 'kafka.Kafka', join(folder, 'server.properties'))
  let output = ''
  const keep = (chunk: unknown): void => void (output = (output + String(chunk)).slice(-20_000))
  broker.stdout!.on('data', keep)
  broker.stderr!.on('data', keep)
  writeFileSync(join(folder, 'pid'), String(broker.pid))
  const endMs = Date.now() + startDeadlineMs
  while (!(await accepts(port))) {
    if (broker.exitCode !== null || Date.now() > endMs) {
      broker.kill('SIGKILL')
      throw new Error(`Kafka did not start:\n${output}`)
    }
    await delay(100)
  }
  return broker
}

/** Step 3: ends with the folder, or ends the broker and removes the folder when this process is gone. */
function watchStarter(folder: string): void {
  const script = `
    while kill -0 ${process.pid} 2>/dev/null && [ -d "$1" ]; do sleep 1; done
    [ -d "$1" ] || exit 0
    kill -9 $(cat "$1/pid") 2>/dev/null
    sleep 1
    rm -rf "$1"`
  spawn('sh', ['-c', script, 'sh', folder], { stdio: 'ignore', detached: true }).unref()
}

async function finish(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = ''
  child.stdout!.on('data', (chunk) => (output += String(chunk)))
  child.stderr!.on('data', (chunk) => (output += String(chunk)))
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve))
  return { code, output }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Ports of the loopback address that nobody listens on now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
