import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clientTls, makeCertificates } from './kafka/certificates.ts'
import { classPath, kafkaAvailable, kafkaVersion, provideJars } from './kafka/jars.ts'
import { freePorts, KafkaNode, type RestartOptions } from './kafka/node.ts'
import { asProperties, clientSettings, nodeSettings, type SaslMechanism, scramOptions } from './kafka/settings.ts'

export { kafkaAvailable, runJava } from './kafka/jars.ts'
export { freePorts, type KafkaNode } from './kafka/node.ts'
export { type SaslMechanism, saslMechanisms, unsecuredToken } from './kafka/settings.ts'

/**
 * A real Apache Kafka for tests (D4): KRaft mode, one broker or several, free ports on the loopback address, a temporary
 * folder.
 *
 *   1. Copy the jars once, by Maven, into .tools.
 *   2. Make certificates if asked to, format the folder of each broker, start all, wait until each knows of all.
 *   3. `stop` ends them and removes the folder. A small shell does the same when the starter is gone, however that went.
 */
export interface LocalKafkaOptions {
  /** How many brokers; each is a controller too. Default 1. With three, topics have three copies. */
  readonly brokers?: number
  /** Clients have to use TLS; `mutual`: and to show a certificate. */
  readonly tls?: boolean | 'mutual'
  /** Clients have to authenticate, by one of these mechanisms. */
  readonly sasl?: readonly SaslMechanism[]
  /** Passwords by name. Default: `alice` with `alice-secret`. */
  readonly users?: { readonly [name: string]: string }
  /** Default: what scripts/kafka/pom.xml names. */
  readonly version?: string
  /** Settings of the brokers besides ours. */
  readonly properties?: { readonly [name: string]: string }
  /** Flags of memory and garbage collection for the brokers' Java. Default: those of a small one. */
  readonly jvmFlags?: readonly string[]
  /** Feature levels of the new cluster, for example `{ 'transaction.version': 1 }`. */
  readonly features?: { readonly [name: string]: number }
  /** The broker also listens on `proxiedPort` and tells those clients to come to this port, where a proxy stands. */
  readonly proxyPort?: number
  readonly log?: (text: string) => void
}

export interface LocalKafka {
  /** All brokers, with commas. */
  readonly bootstrapServers: string
  readonly nodes: readonly KafkaNode[]
  /** What a client in Node gives as `tls`. */
  readonly tls: { readonly ca: string; readonly pfx?: Buffer; readonly passphrase?: string } | null
  /** Where the certificates lie. */
  readonly tlsFolder: string | null
  /** A file with what Kafka's own tools need to get in, for `--command-config`. */
  readonly clientProperties: string
  /** Where a proxy passes on to; 0 without one. */
  readonly proxiedPort: number
  /** Sends a signal to every broker that runs. */
  kill(signal: NodeJS.Signals): void
  /** Ends the brokers, one after the other, and starts each again on the same folder and port. */
  restart(options?: RestartOptions): Promise<void>
  stop(): Promise<void>
}

export async function startLocalKafka(options: LocalKafkaOptions = {}): Promise<LocalKafka> {
  const { version = kafkaVersion, log = () => undefined } = options
  const missing = kafkaAvailable(version)
  if (missing !== null) throw new Error(missing)
  // 1.
  await provideJars(version, log)
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'local-kafka-'))
    const endWatch = watchStarter(folder)
    const nodes: KafkaNode[] = []
    const remove = async (): Promise<void> => {
      await Promise.all(nodes.map((node) => node.stop('SIGKILL')))
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      endWatch()
    }
    try {
      return { ...(await start(options, version, folder, nodes)), stop: remove }
    } catch (error) {
      await remove()
      // Somebody else took a port between our looking and the broker's.
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error
    }
  }
}

/** Step 2. */
async function start(
  options: LocalKafkaOptions,
  version: string,
  folder: string,
  nodes: KafkaNode[],
): Promise<Omit<LocalKafka, 'stop'>> {
  const { brokers = 1, tls = false, sasl = [], users = { alice: 'alice-secret' }, proxyPort } = options
  if (proxyPort !== undefined && brokers > 1) throw new Error('a proxy stands before one broker only')
  const tlsFolder = tls === false ? null : join(folder, 'tls')
  const certificates = tlsFolder === null ? null : await makeCertificates(tlsFolder)
  const security = { certificates, isMutual: tls === 'mutual', sasl, users }
  const numbers = await freePorts(4 * brokers)
  const ports = Array.from({ length: brokers }, (_, i) => {
    const [client, internal, controller, proxied] = numbers.slice(4 * i, 4 * i + 4)
    return { client: client!, internal: internal!, controller: controller!, proxied: proxied! }
  })
  for (const [i, own] of ports.entries()) {
    const home = join(folder, `node-${i + 1}`)
    mkdirSync(home)
    const settings = { ...nodeSettings(ports, i, join(home, 'data'), security, proxyPort), ...options.properties }
    nodes.push(
      new KafkaNode({
        folder: home,
        classPath: classPath(version),
        settings,
        ports: own,
        clusterSize: brokers,
        jvmFlags: options.jvmFlags,
      }),
    )
  }
  const levels = Object.entries(options.features ?? {}).flatMap(([name, level]) => ['--feature', `${name}=${level}`])
  await Promise.all(nodes.map((node) => node.format([...levels, ...scramOptions(security)])))
  for (const node of nodes) node.launch()
  await Promise.all(nodes.map((node) => node.untilReady()))
  const clientProperties = join(folder, 'client.properties')
  writeFileSync(clientProperties, asProperties(clientSettings(security)))
  return {
    bootstrapServers: nodes.map(({ address }) => address).join(','),
    nodes,
    tls: certificates === null ? null : clientTls(certificates, security.isMutual),
    tlsFolder,
    clientProperties,
    proxiedPort: proxyPort === undefined ? 0 : ports[0]!.proxied,
    kill(signal) {
      for (const node of nodes) node.kill(signal)
    },
    async restart(how) {
      for (const node of nodes) await node.restart(how)
    },
  }
}

/**
 * Step 3. The shell reads from a pipe that only we hold open, so that it notices at once when we are gone. Then it ends
 * what runs and removes the folder, twice, for something may just have been starting.
 */
function watchStarter(folder: string): () => void {
  const script = `
    cat > /dev/null
    for round in 1 2; do
      [ -d "$0" ] || exit 0
      kill -9 $(cat "$0"/node-*/pid) 2> /dev/null
      sleep 1
      rm -rf "$0"
    done`
  const shell = spawn('sh', ['-c', script, folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const pipe = shell.stdin as Socket
  pipe.unref()
  shell.unref()
  return () => pipe.end()
}
