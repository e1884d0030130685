import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type {
  Admin,
  Broker,
  LogProducer,
  LogProducerOptions,
  LogReader,
  LogReaderOptions,
} from '../../broker/broker.ts'
import { ClassicGroupMember } from '../../broker/classic-group-member.ts'
import type { GroupMember, GroupMemberOptions } from '../../broker/group.ts'
import { systemClock } from '../../common/clock.ts'
import { type Logger, silentLogger } from '../../common/logger.ts'
import { Cluster, parseBootstrap } from './cluster.ts'
import { checkSecurity } from './connection-pool.ts'
import { KafkaAdmin } from './kafka-admin.ts'
import { assignmentCodec, KafkaGroupCoordinator } from './kafka-group-coordinator.ts'
import { KafkaProducer } from './kafka-producer.ts'
import { KafkaReader } from './kafka-reader.ts'
import { TransactionManager } from './transaction-manager.ts'
import type { KafkaSasl } from './wire.ts'

export interface KafkaBrokerOptions {
  /** `host:port`, several with commas or as a list. */
  readonly bootstrapServers: string | readonly string[]
  /** Names this program in the brokers' logs and quotas. Default `stream-core`. */
  readonly clientId?: string
  /** Encrypt, with these options of Node's; `{}` trusts the authorities that Node trusts. */
  readonly tls?: TlsOptions
  readonly sasl?: KafkaSasl
  readonly logger?: Logger
}

const openDeadlineMs = 60_000

/**
 * A Kafka cluster, 3.5 or newer, as a log (D2). Nothing is connected before it is needed, and a cluster that is away is
 * waited for. Throws a ConfigError when an address or another option is malformed; where brokers refuse a password, or a
 * certificate of theirs is not trusted, calls reject with a ConfigError that names the option.
 */
export function kafkaBroker(options: KafkaBrokerOptions): Broker {
  checkSecurity(options)
  return new KafkaBroker(
    new Cluster({
      bootstrap: parseBootstrap(options.bootstrapServers),
      clientId: options.clientId ?? 'stream-core',
      logger: options.logger ?? silentLogger,
      ...(options.tls && { tls: options.tls }),
      ...(options.sasl && { sasl: options.sasl }),
    }),
  )
}

class KafkaBroker implements Broker {
  readonly admin: Admin
  readonly #cluster: Cluster
  readonly #readers = new Set<LogReader>()
  readonly #producers = new Set<LogProducer>()
  readonly #members = new Map<GroupMember, KafkaGroupCoordinator>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.admin = new KafkaAdmin(cluster)
  }

  openReader(options: LogReaderOptions = {}): LogReader {
    const reader = new KafkaReader(this.#cluster, options)
    this.#readers.add(reader)
    return reader
  }

  async openProducer(options: LogProducerOptions = {}): Promise<LogProducer> {
    const { transactionalId, transactionTimeoutMs = 60_000 } = options
    const transactions =
      transactionalId === undefined
        ? null
        : await TransactionManager.open(
            this.#cluster,
            transactionalId,
            transactionTimeoutMs,
            Date.now() + openDeadlineMs,
          )
    const producer = new KafkaProducer(this.#cluster, transactions, options)
    this.#producers.add(producer)
    return producer
  }

  openGroupMember(options: GroupMemberOptions): GroupMember {
    const coordinator = new KafkaGroupCoordinator(this.#cluster, options.rebalanceTimeoutMs)
    const member = new ClassicGroupMember(coordinator, assignmentCodec, systemClock, options)
    this.#members.set(member, coordinator)
    return member
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#members.keys()].map((member) => member.close()))
    await Promise.allSettled([...this.#members.values()].map((coordinator) => coordinator.close()))
    await Promise.allSettled([...this.#readers].map((reader) => reader.close()))
    await Promise.allSettled([...this.#producers].map((producer) => producer.close()))
    await this.#cluster.close()
  }
}
