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
import { type AssignmentCodec, ClassicGroupMember } from '../../broker/classic-group-member.ts'
import type { GroupMember, GroupMemberOptions } from '../../broker/group.ts'
import { type Clock, systemClock } from '../../common/clock.ts'
import { Compactor } from './compactor.ts'
import { EmbeddedAdmin } from './embedded-admin.ts'
import { EmbeddedProducer } from './embedded-producer.ts'
import { EmbeddedReader } from './embedded-reader.ts'
import { type LogFaults, LogStore } from './log-store.ts'

export interface EmbeddedLogOptions {
  /** The SQLite file of the log; folders above it are made. */
  readonly path: string
  /** Time between two looks for compacted topics that have grown. Default 30 s. */
  readonly compactionIntervalMs?: number
  /** Where the time of groups' sessions comes from. Default: the system's. */
  readonly clock?: Clock
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
  const { clock = systemClock, compactionIntervalMs = 30_000 } = options
  const store = new LogStore(options.path, clock)
  return new EmbeddedLog(store, new Compactor(store, compactionIntervalMs))
}

/** A log in memory in which things go wrong, and what is below it: for simulation. */
export function openFaultyLog(clock: Clock, faults: LogFaults): { readonly broker: Broker; readonly store: LogStore } {
  const store = new LogStore(':memory:', clock, faults)
  return { store, broker: new EmbeddedLog(store, new Compactor(store, 2 ** 30)) }
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
    store.checkOpen()
    const { transactionalId } = options
    if (transactionalId === undefined) return new EmbeddedProducer(store, null, options)
    const { producerId, epoch } = await store.openTransactionalId(transactionalId)
    return new EmbeddedProducer(store, { transactionalId, producerId, epoch }, options)
  }

  openGroupMember(options: GroupMemberOptions): GroupMember {
    return new ClassicGroupMember(this.#store.groups.coordinator(), plainCodec, this.#store.clock, options)
  }

  async close(): Promise<void> {
    this.#store.groups.close()
    await this.#compactor.stop()
    this.#store.close()
  }
}

/** Nobody but this class reads it: the length of the partitions, the partitions as JSON, the user data. */
export const plainCodec: AssignmentCodec = {
  encode: ({ partitions, userData }) => {
    const head = Buffer.from(JSON.stringify(partitions))
    const length = Buffer.alloc(4)
    length.writeInt32BE(head.length)
    return Buffer.concat([length, head, userData])
  },
  decode: (bytes) => {
    if (bytes.length === 0) return { partitions: [], userData: bytes }
    const end = 4 + bytes.readInt32BE(0)
    return { partitions: JSON.parse(bytes.toString('utf8', 4, end)), userData: bytes.subarray(end) }
  },
}
