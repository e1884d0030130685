import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type {
  Admin,
  Broker,
  LogProducer,
  LogProducerOptions,
  LogReader,
  LogReaderOptions,
} from '../../broker/broker.ts'
import { BrokerError } from '../../common/errors.ts'
import { Compactor } from './compactor.ts'
import { EmbeddedAdmin } from './embedded-admin.ts'
import { EmbeddedProducer } from './embedded-producer.ts'
import { EmbeddedReader } from './embedded-reader.ts'
import { LogStore } from './log-store.ts'

export interface EmbeddedLogOptions {
  /** The SQLite file of the log; folders above it are made. */
  readonly path: string
  /** Time between two looks for compacted topics that have grown. Default 30 s. */
  readonly compactionIntervalMs?: number
}

/**
 * Opens a log in one SQLite file, for one process (D2): the default of examples, tests and `npm start`. It acknowledges
 * only what is on disk, knows transactions and read_committed as Kafka does, and has no replication and no server: use
 * `kafkaBroker` to run on more than one machine.
 *
 * Throws `BrokerError` `LOG_LOCKED` when another process holds the file.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<Broker> {
  mkdirSync(dirname(options.path), { recursive: true })
  const store = new LogStore(options.path)
  return new EmbeddedLog(store, new Compactor(store, options.compactionIntervalMs ?? 30_000))
}

class EmbeddedLog implements Broker {
  readonly admin: Admin
  readonly #store: LogStore
  readonly #compactor: Compactor

  constructor(store: LogStore, compactor: Compactor) {
    this.#store = store
    this.#compactor = compactor
    this.admin = new EmbeddedAdmin(store)
  }

  openReader(options: LogReaderOptions = {}): LogReader {
    return new EmbeddedReader(this.#store, options)
  }

  async openProducer(options: LogProducerOptions = {}): Promise<LogProducer> {
    const store = this.#store
    if (store.closed) throw new BrokerError('BROKER_UNAVAILABLE', 'the log is closed', { retryable: false })
    const { transactionalId } = options
    if (transactionalId === undefined) return new EmbeddedProducer(store, null, options)
    const earlier = store.epochs.get(transactionalId)
    if (earlier) await store.endTransaction(earlier.producerId, earlier.epoch, false)
    const producerId = earlier?.producerId ?? store.epochs.size + 1
    const epoch = ((earlier?.epoch ?? -1) + 1) % 32_767
    await store.commits.run(
      () => {
        store.database
          .prepare('INSERT OR REPLACE INTO producers VALUES (?,?,?)')
          .run(transactionalId, producerId, epoch)
      },
      () => store.epochs.set(transactionalId, { producerId, epoch }),
    )
    return new EmbeddedProducer(store, { transactionalId, producerId, epoch }, options)
  }

  async close(): Promise<void> {
    await this.#compactor.stop()
    this.#store.close()
  }
}
