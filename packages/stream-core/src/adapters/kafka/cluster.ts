import { BrokerError, ConfigError, StreamsError } from '../../common/errors.ts'
import type { Logger } from '../../common/logger.ts'
import { partitionKey } from '../../common/record.ts'
import { Pool } from './connection-pool.ts'
import { errorCode, isRetriable, isStaleCoordinator, refused, unavailable } from './kafka-errors.ts'
import { retryDelayMs, sleep } from './waiting.ts'
import { call, type Connection, type Node, peerOf, requests, type WireOptions } from './wire.ts'

export interface ClusterOptions extends WireOptions {
  readonly bootstrap: readonly Node[]
  readonly clientId: string
  readonly logger: Logger
}

/** What connections are for: each purpose has its own, so that a long poll holds nobody up. */
export type Purpose = 'admin' | 'produce' | 'transaction'

export interface TopicMetadata {
  readonly topicId: string
  readonly partitionCount: number
}

const requestTimeoutMs = 35_000

/**
 * What is known of a cluster: its brokers, which of them leads which partition, and connections to them. Metadata with
 * errors in it is used for what it does say; nothing here fails because one partition has no leader.
 */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #pools = new Map<Purpose, Pool>()
  #brokers = new Map<number, Node>()
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #topicNames = new Map<string, string>()
  readonly #leaders = new Map<string, { id: number; readonly epoch: number }>()
  readonly #refusals = new Map<string, number>()
  readonly #coordinators = new Map<string, Node>()
  #clusterId: string | null = null
  #transactionVersion: 1 | 2 | null = null
  isClosed = false

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  get logger(): Logger {
    return this.#options.logger
  }

  /**
   * Connections of one reader, or one member of a group: a broker holds a fetch back until there is something, and a join
   * until all have joined, and with it all behind it on the line.
   */
  openPool(purpose: string, timeoutMs = requestTimeoutMs): Pool {
    return new Pool(`${this.#options.clientId}-${purpose}`, this.#options, timeoutMs)
  }

  /** All brokers that are known. */
  get brokers(): readonly Node[] {
    return [...this.#brokers.values()]
  }

  /** A connection to a broker. Rejects as `Pool.get` does. */
  async connect(purpose: Purpose, node: Node): Promise<Connection> {
    if (this.isClosed) {
      throw new BrokerError('BROKER_UNAVAILABLE', 'the connection to the cluster is closed', { retryable: false })
    }
    let pool = this.#pools.get(purpose)
    if (!pool) {
      pool = new Pool(`${this.#options.clientId}-${purpose}`, this.#options, requestTimeoutMs)
      this.#pools.set(purpose, pool)
    }
    return pool.get(node)
  }

  /** A connection to any broker: those that are known, then the bootstrap list. What no waiting mends is told first. */
  async connectAny(purpose: Purpose): Promise<Connection> {
    let failure: unknown = null
    for (const node of [...this.#brokers.values(), ...this.#options.bootstrap]) {
      try {
        return await this.connect(purpose, node)
      } catch (error) {
        if (!(failure instanceof ConfigError)) failure = error
      }
    }
    throw failure
  }

  /** Names of all topics but Kafka's own. */
  async listTopics(): Promise<readonly string[]> {
    const connection = await this.connectAny('admin')
    const answer = await this.#ask('metadata', () => call(connection, requests.metadata, null, false, false))
    return answer.topics.flatMap(({ name, isInternal, errorCode: code }) =>
      name && !isInternal && code === 0 ? [name] : [],
    )
  }

  /** Looks topics up anew. Topics that do not exist are forgotten. */
  async refresh(topics: readonly string[]): Promise<void> {
    const connection = await this.connectAny('admin')
    const answer = await this.#ask('metadata', () => call(connection, requests.metadata, [...topics], false, false))
    this.#clusterId = answer.clusterId ?? null
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    for (const { name, topicId, errorCode: code, partitions } of answer.topics) {
      if (!name) continue
      if (isRetriable(code) || code === errorCode.none) this.#refusals.delete(name)
      else this.#refusals.set(name, code)
      if (code !== errorCode.none) {
        if (!isRetriable(code) || code === errorCode.unknownTopicOrPartition) this.#topics.delete(name)
        continue
      }
      const known = this.#topics.get(name)
      const isNew = known?.topicId !== topicId
      const hexId = topicId.replaceAll('-', '')
      // A broker that lags behind speaks of a topic that was, and has been made anew.
      if (known !== undefined && isNew && this.#topicNames.has(hexId)) continue
      this.#topics.set(name, { topicId, partitionCount: partitions.length })
      this.#topicNames.set(hexId, name)
      for (const { partitionIndex, leaderId: id, leaderEpoch: epoch } of partitions) {
        const key = partitionKey(name, partitionIndex)
        // A broker that lags behind speaks of a leader that was.
        if (isNew || epoch >= (this.#leaders.get(key)?.epoch ?? -1)) this.#leaders.set(key, { id, epoch })
      }
    }
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** Why nothing is said of a topic, when it was last looked up: there is no right to see it, for example. */
  refusal(topic: string): BrokerError | null {
    const code = this.#refusals.get(topic)
    return code === undefined ? null : refused(`looking up the topic ${topic}`, code)
  }

  /** By the id in a fetch response, as 32 hex digits. */
  topicName(hexId: string): string | undefined {
    return this.#topicNames.get(hexId)
  }

  /** The broker that leads a partition, as far as is known. */
  leader(
    topic: string,
    partition: number,
  ): { readonly id: number; readonly epoch: number; readonly node: Node } | null {
    const leader = this.#leaders.get(partitionKey(topic, partition))
    const node = leader && this.#brokers.get(leader.id)
    return node === undefined ? null : { ...leader!, node }
  }

  forgetLeader(topic: string, partition: number): void {
    const leader = this.#leaders.get(partitionKey(topic, partition))
    if (leader !== undefined) leader.id = -1
  }

  async clusterId(): Promise<string> {
    if (this.#clusterId === null) await this.refresh([])
    return this.#clusterId ?? ''
  }

  /** 2 where the cluster has finalised KIP-890, else 1. The two are never mixed in one producer. */
  async transactionVersion(): Promise<1 | 2> {
    if (this.#transactionVersion !== null) return this.#transactionVersion
    const connection = await this.connectAny('admin')
    const level = peerOf(connection)?.features.get('transaction.version') ?? 0
    this.#transactionVersion = level >= 2 ? 2 : 1
    return this.#transactionVersion
  }

  /**
   * Asks the coordinator of a group or a transactional id, again while the error is retryable and time is left. After any
   * error the coordinator is looked up anew: it may have moved. `connect`: over other connections than the usual ones.
   */
  askCoordinator<T>(
    kind: 'group' | 'transaction',
    key: string,
    what: string,
    deadlineMs: number,
    ask: (connection: Connection) => Promise<T>,
    connect = (node: Node): Promise<Connection> => this.connect('transaction', node),
  ): Promise<T> {
    const id = `${kind}:${key}`
    return this.retrying(what, deadlineMs, async () => {
      let node = this.#coordinators.get(id)
      if (node === undefined) {
        node = await this.#findCoordinator(kind, key)
        this.#coordinators.set(id, node)
      }
      try {
        const connection = await connect(node)
        return await this.#ask(what, () => ask(connection), 'unknown')
      } catch (error) {
        this.#coordinators.delete(id)
        throw error
      }
    })
  }

  async #findCoordinator(kind: 'group' | 'transaction', key: string): Promise<Node> {
    const what = `coordinator of ${kind} ${key}`
    const connection = await this.connectAny('admin')
    const answer = await this.#ask(what, () =>
      call(connection, requests.findCoordinator, kind === 'group' ? 0 : 1, [key]),
    )
    const found = answer.coordinators[0]
    if (!found) throw unavailable(what, new Error('the broker named none'))
    const { errorCode: code, host, port } = found
    if (code === 0) return { host, port }
    throw isStaleCoordinator(code) ? unavailable(what, refused(what, code)) : refused(what, code)
  }

  /** Tries again while the error is retryable and time is left. `deadlineMs` is a time, not a length. */
  async retrying<T>(what: string, deadlineMs: number, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        const isWorthIt = error instanceof BrokerError && error.retryable && Date.now() < deadlineMs && !this.isClosed
        if (!isWorthIt) throw error
        if (tries > 0 && tries % 20 === 0) {
          this.logger.warn(
            { event: 'broker.retrying', what, error: error.message },
            'the cluster does not answer; trying again',
          )
        }
        await sleep(retryDelayMs(tries))
      }
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    await Promise.allSettled([...this.#pools.values()].map((pool) => pool.close()))
  }

  async #ask<T>(what: string, send: () => Promise<T>, written: 'no' | 'unknown' = 'no'): Promise<T> {
    try {
      return await send()
    } catch (error) {
      throw error instanceof StreamsError ? error : unavailable(what, error, written)
    }
  }
}

/** `host:port`, several with commas. Throws a ConfigError that names what is wrong. */
export function parseBootstrap(servers: string | readonly string[]): readonly Node[] {
  const list = (typeof servers === 'string' ? servers.split(',') : servers)
    .map((text) => text.trim())
    .filter((text) => text !== '')
  if (list.length === 0)
    throw new ConfigError('bootstrapServers', 'no Kafka broker is named: expected host:port, several with commas')
  return list.map((text) => {
    const at = text.lastIndexOf(':')
    const port = Number(text.slice(at + 1))
    if (at <= 0 || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new ConfigError('bootstrapServers', `${JSON.stringify(text)} is no broker address: expected host:port`)
    }
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port }
  })
}
