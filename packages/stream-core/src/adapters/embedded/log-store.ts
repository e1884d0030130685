import { randomBytes, randomUUID } from 'node:crypto'
import type { Database, Statement } from 'better-sqlite3'
import type { CommittedOffset, TopicDescription, TopicSpec } from '../../broker/broker.ts'
import type { Clock } from '../../common/clock.ts'
import { BrokerError } from '../../common/errors.ts'
import { RecordBatchBuilder } from '../../common/record-batch-builder.ts'
import { noHeaders, partitionKey, type TopicPartition } from '../../common/record.ts'
import { EmbeddedGroups } from './embedded-groups.ts'
import { GroupCommit } from './group-commit.ts'
import { openLogDatabase } from './log-database.ts'
import { BatchTable, PartitionLog } from './partition-log.ts'

/** What a producer has open: the partitions it wrote to and the offsets that wait for the commit. */
export interface OpenTransaction {
  readonly partitions: Map<PartitionLog, number>
  readonly offsets: Map<string, readonly CommittedOffset[]>
}

/** What may go wrong in a cluster and not in one file: for simulation. */
export interface LogFaults {
  /** Holds the marker of a transaction's end back in one partition, or with '' what the group's offsets become. */
  readonly delayMarker?: (topic: string, partition: number) => Promise<void> | null
}

/**
 * The state of the embedded log: partitions, producers, group offsets. Everything is written through `commits`, so that
 * it becomes durable in groups; memory follows the disk, never the other way round.
 */
export class LogStore {
  readonly database: Database
  readonly commits: GroupCommit
  readonly clusterId: string
  readonly #table: BatchTable
  readonly #partitions = new Map<string, PartitionLog>()
  readonly #descriptions = new Map<string, TopicDescription>()
  readonly #offsets = new Map<string, CommittedOffset>()
  readonly #saveOffset: Statement
  readonly #addAborted: Statement
  readonly #forgetOpen: Statement
  readonly #addOpen: Statement
  readonly #listeners = new Set<() => void>()
  /** Open transactions by producer id. */
  readonly transactions = new Map<number, OpenTransaction>()
  /** Epoch of each transactional id: a producer with an older one is fenced. */
  readonly epochs = new Map<string, { producerId: number; epoch: number }>()
  readonly groups: EmbeddedGroups
  readonly clock: Clock
  readonly #faults: LogFaults
  /** Transactions whose end is decided and not yet told everywhere, by producer. */
  readonly #ending = new Map<number, { readonly offsets: OpenTransaction['offsets']; readonly ended: Promise<void> }>()
  #lastProducerId = 0
  closed = false

  constructor(path: string, clock: Clock, faults: LogFaults = {}) {
    this.clock = clock
    this.#faults = faults
    this.groups = new EmbeddedGroups(clock)
    this.database = openLogDatabase(path)
    this.commits = new GroupCommit(this.database, () => this.#reload())
    this.#table = new BatchTable(this.database)
    this.#saveOffset = this.database.prepare('INSERT OR REPLACE INTO group_offsets VALUES (?,?,?,?,?)')
    this.#addAborted = this.database.prepare('INSERT INTO aborted_transactions VALUES (?,?,?,?)')
    this.#forgetOpen = this.database.prepare('DELETE FROM open_transactions WHERE producer_id = ?')
    this.#addOpen = this.database.prepare('INSERT OR REPLACE INTO open_transactions VALUES (?,?,?)')
    const info = this.database.prepare("SELECT value FROM log_info WHERE name = 'cluster_id'").get() as
      | { value: string }
      | undefined
    this.clusterId = info?.value ?? randomBytes(16).toString('base64url')
    if (!info) this.database.prepare("INSERT INTO log_info VALUES ('cluster_id', ?)").run(this.clusterId)
    this.#load()
    this.#abortLeftOpen()
  }

  /** Whoever asks a log that is closed is told so: an empty answer would be asked for again, at once and for ever. */
  checkOpen(): void {
    if (this.closed) throw new BrokerError('BROKER_UNAVAILABLE', 'the log is closed', { retryable: false })
  }

  partition(topic: string, partition: number): PartitionLog {
    const found = this.#partitions.get(partitionKey(topic, partition))
    if (!found) {
      throw new BrokerError('BROKER_REFUSED', `the log has no partition ${partition} of topic "${topic}"`, {
        retryable: false,
      })
    }
    return found
  }

  /** A copy: topics may come and go while somebody goes through it. */
  get partitions(): readonly PartitionLog[] {
    return [...this.#partitions.values()]
  }

  get topics(): readonly string[] {
    return [...this.#descriptions.keys()]
  }

  describe(topic: string): TopicDescription | undefined {
    return this.#descriptions.get(topic)
  }

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    const missing = specs.filter((spec) => !this.#descriptions.has(spec.topic))
    if (missing.length === 0) return
    const addTopic = this.database.prepare('INSERT OR IGNORE INTO topics VALUES (?,?,?)')
    const addPartition = this.database.prepare(
      'INSERT OR IGNORE INTO partitions (topic, partition, log_start_offset, next_offset) VALUES (?,?,0,0)',
    )
    await this.commits.run(() => {
      for (const spec of missing) {
        if (addTopic.run(spec.topic, randomUUID(), JSON.stringify(spec.configs ?? {})).changes === 0) continue
        for (let partition = 0; partition < spec.partitions; partition++) addPartition.run(spec.topic, partition)
      }
    })
    this.#loadTopics()
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    const statements = [
      'DELETE FROM batches WHERE partition_id IN (SELECT id FROM partitions WHERE topic = ?)',
      'DELETE FROM open_transactions WHERE partition_id IN (SELECT id FROM partitions WHERE topic = ?)',
      'DELETE FROM aborted_transactions WHERE partition_id IN (SELECT id FROM partitions WHERE topic = ?)',
      'DELETE FROM partitions WHERE topic = ?',
      // Positions go with their topic: in another one of its name they would stand for records that nobody has read.
      'DELETE FROM group_offsets WHERE topic = ?',
      'DELETE FROM topics WHERE topic = ?',
    ].map((sql) => this.database.prepare(sql))
    await this.commits.run(() => {
      for (const name of names) for (const statement of statements) statement.run(name)
    })
    for (const name of names) {
      for (const [key, log] of this.#partitions) if (log.topic === name) this.#partitions.delete(key)
      for (const [key, { topic }] of this.#offsets) if (topic === name) this.#offsets.delete(key)
      for (const transaction of this.transactions.values()) forget(transaction, name)
      this.#descriptions.delete(name)
    }
    this.notify()
  }

  committedOffset(groupId: string, topic: string, partition: number): CommittedOffset {
    return this.#offsets.get(offsetKey(groupId, topic, partition)) ?? { topic, partition, offset: -1, metadata: '' }
  }

  /** Inside `commits.run`; `applyOffsets` follows once it is durable. */
  writeOffsets(groupId: string, offsets: readonly CommittedOffset[]): void {
    for (const { topic, partition, offset, metadata } of offsets) {
      this.#saveOffset.run(groupId, topic, partition, offset, metadata)
    }
  }

  /** What is kept is what a new opening would read; the log has no leaders, and so no epochs of theirs. */
  applyOffsets(groupId: string, offsets: readonly CommittedOffset[]): void {
    for (const { leaderEpoch: _, ...at } of offsets) this.#offsets.set(offsetKey(groupId, at.topic, at.partition), at)
  }

  get groupsWithOffsets(): readonly string[] {
    return [...new Set([...this.#offsets.keys()].map((key) => key.slice(0, key.indexOf('\n'))))]
  }

  groupOffsets(groupId: string): CommittedOffset[] {
    return [...this.#offsets].flatMap(([key, offset]) => (key.startsWith(`${groupId}\n`) ? [offset] : []))
  }

  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    if (this.groups.members(groupId).length > 0) {
      const what = `deleting positions of the group "${groupId}": it has members`
      throw new BrokerError('BROKER_REFUSED', what, { retryable: false })
    }
    const remove = this.database.prepare('DELETE FROM group_offsets WHERE group_id = ? AND topic = ? AND partition = ?')
    await this.commits.run(
      () => {
        for (const { topic, partition } of partitions) remove.run(groupId, topic, partition)
      },
      () => {
        for (const { topic, partition } of partitions) this.#offsets.delete(offsetKey(groupId, topic, partition))
      },
    )
  }

  /** Inside `commits.run`: a transaction has something in a partition from here on. */
  noteOpen(producerId: number, { id, nextOffset }: PartitionLog): void {
    this.#addOpen.run(producerId, id, nextOffset)
  }

  /** Ends a transaction: a marker in every partition it wrote to, offsets if it commits. Durable when resolved; false: there was none (any more). */
  async endTransaction(producerId: number, epoch: number, commit: boolean): Promise<boolean> {
    await this.ended(producerId)
    const transaction = this.transactions.get(producerId)
    if (!transaction) return false
    // Decided here and now: whoever comes next finds that it has ended.
    this.transactions.delete(producerId)
    const late = this.#lateParts(transaction, commit)
    const decided = this.#end(producerId, epoch, commit, { partitions: late.prompt, offsets: late.promptOffsets })
    const parts = late.waiting.map(async ({ until, ...part }) => {
      await Promise.all([decided, until])
      await this.#end(producerId, epoch, commit, part)
    })
    const ended = Promise.allSettled([decided, ...parts]).then(() => {
      this.#ending.delete(producerId)
      this.notify()
    })
    // Offsets have a marker of their own, which may be there before those of the records.
    const areOffsetsLate = late.promptOffsets !== transaction.offsets
    this.#ending.set(producerId, { offsets: areOffsetsLate ? transaction.offsets : new Map(), ended })
    await decided
    if (parts.length === 0) await ended
    return true
  }

  /** Resolves when the last transaction of a producer has ended everywhere. */
  ended(producerId: number): Promise<void> {
    return this.#ending.get(producerId)?.ended ?? Promise.resolve()
  }

  /** Offsets that a commit may still move. */
  get pendingOffsets(): readonly ReadonlyMap<string, readonly CommittedOffset[]>[] {
    return [...this.transactions.values(), ...this.#ending.values()].map(({ offsets }) => offsets)
  }

  #lateParts({ partitions, offsets }: OpenTransaction, commit: boolean) {
    const prompt = new Map(partitions)
    let promptOffsets = offsets
    const waiting: (OpenTransaction & { readonly until: Promise<void> })[] = []
    const { delayMarker } = this.#faults
    if (delayMarker !== undefined && commit) {
      for (const [log, first] of partitions) {
        const until = delayMarker(log.topic, log.partition)
        if (until === null) continue
        prompt.delete(log)
        waiting.push({ partitions: new Map([[log, first]]), offsets: new Map(), until })
      }
      const until = offsets.size === 0 ? null : delayMarker('', 0)
      if (until !== null) {
        promptOffsets = new Map()
        waiting.push({ partitions: new Map(), offsets, until })
      }
    }
    return { prompt, promptOffsets, waiting }
  }

  #end(producerId: number, epoch: number, commit: boolean, part: OpenTransaction): Promise<void> {
    return this.commits.run(
      () => {
        this.#writeMarkers(producerId, epoch, part.partitions, commit)
        if (commit) for (const [groupId, offsets] of part.offsets) this.writeOffsets(groupId, offsets)
      },
      () => {
        for (const log of part.partitions.keys()) {
          log.openTransactions.delete(producerId)
          log.highWatermark = log.nextOffset
        }
        if (commit) for (const [groupId, offsets] of part.offsets) this.applyOffsets(groupId, offsets)
        this.notify()
      },
    )
  }

  /** Ends what an earlier holder of the id left open and fences it. */
  async openTransactionalId(transactionalId: string): Promise<{ readonly producerId: number; readonly epoch: number }> {
    const earlier = this.epochs.get(transactionalId)
    if (earlier) await this.endTransaction(earlier.producerId, earlier.epoch, false)
    const producerId = earlier?.producerId ?? ++this.#lastProducerId
    const epoch = ((earlier?.epoch ?? -1) + 1) % 32_767
    await this.commits.run(
      () => {
        this.database.prepare('INSERT OR REPLACE INTO producers VALUES (?,?,?)').run(transactionalId, producerId, epoch)
      },
      () => this.epochs.set(transactionalId, { producerId, epoch }),
    )
    return { producerId, epoch }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  notify(): void {
    for (const listener of this.#listeners) listener()
  }

  close(): void {
    if (this.closed) return
    this.commits.flush()
    this.closed = true
    this.notify()
    this.database.close()
  }

  #writeMarkers(
    producerId: number,
    epoch: number,
    partitions: ReadonlyMap<PartitionLog, number>,
    commit: boolean,
  ): void {
    for (const [log, firstOffset] of partitions) {
      const builder = new RecordBatchBuilder(128)
      builder.append(Buffer.from([0, 0, 0, commit ? 1 : 0]), Buffer.alloc(6), Date.now(), noHeaders)
      const lastOffset = log.append(
        builder.seal({ producerId, producerEpoch: epoch, transactional: true, control: true }),
      )
      log.saveEnds()
      if (!commit) this.#addAborted.run(log.id, lastOffset, producerId, firstOffset)
    }
    this.#forgetOpen.run(producerId)
  }

  /** No other process can hold the file, so whatever is open was left by one that died. */
  #abortLeftOpen(): void {
    const rows = this.database
      .prepare(
        'SELECT producer_id AS producerId, partition_id AS partitionId, first_offset AS firstOffset FROM open_transactions',
      )
      .all() as { producerId: number; partitionId: number; firstOffset: number }[]
    if (rows.length === 0) return
    const byId = new Map([...this.#partitions.values()].map((log) => [log.id, log]))
    this.database.transaction(() => {
      for (const row of rows) {
        const log = byId.get(row.partitionId)
        if (log) this.#writeMarkers(row.producerId, 0, new Map([[log, row.firstOffset]]), false)
      }
      this.database.exec('DELETE FROM open_transactions')
    })()
    for (const log of byId.values()) log.highWatermark = log.nextOffset
  }

  /** After a turn that could not be written: back to what is on disk, with every open transaction aborted. */
  #reload(): void {
    this.transactions.clear()
    this.#load()
    this.#abortLeftOpen()
  }

  #load(): void {
    this.#partitions.clear()
    this.#descriptions.clear()
    this.#loadTopics()
    this.#offsets.clear()
    for (const row of this.database
      .prepare('SELECT group_id AS groupId, topic, partition, next_offset AS offset, metadata FROM group_offsets')
      .all() as (CommittedOffset & { groupId: string })[]) {
      const { groupId, ...offset } = row
      this.#offsets.set(offsetKey(groupId, row.topic, row.partition), offset)
    }
    this.epochs.clear()
    for (const row of this.database
      .prepare('SELECT transactional_id AS id, producer_id AS producerId, epoch FROM producers')
      .all() as { id: string; producerId: number; epoch: number }[]) {
      this.epochs.set(row.id, { producerId: row.producerId, epoch: row.epoch })
      this.#lastProducerId = Math.max(this.#lastProducerId, row.producerId)
    }
  }

  #loadTopics(): void {
    const topics = this.database.prepare('SELECT topic, topic_id AS topicId, configs FROM topics').all() as {
      topic: string
      topicId: string
      configs: string
    }[]
    const cleanup = new Map(topics.map(({ topic, configs }) => [topic, cleanupOf(JSON.parse(configs))]))
    const rows = this.database.prepare('SELECT * FROM partitions').all() as ConstructorParameters<
      typeof PartitionLog
    >[1][]
    const counts = new Map<string, number>()
    for (const row of rows) {
      counts.set(row.topic, (counts.get(row.topic) ?? 0) + 1)
      const key = partitionKey(row.topic, row.partition)
      if (this.#partitions.has(key)) continue
      this.#partitions.set(key, new PartitionLog(this.#table, row, cleanup.get(row.topic)!))
    }
    for (const { topic, topicId } of topics) {
      this.#descriptions.set(topic, { topic, topicId, partitionCount: counts.get(topic) ?? 0 })
    }
  }
}

const offsetKey = (groupId: string, topic: string, partition: number): string =>
  `${groupId}\n${partitionKey(topic, partition)}`

/** What an open transaction has to do with a topic that is no more. */
function forget({ partitions, offsets }: OpenTransaction, name: string): void {
  for (const log of partitions.keys()) if (log.topic === name) partitions.delete(log)
  for (const [group, pending] of offsets) {
    offsets.set(
      group,
      pending.filter(({ topic }) => topic !== name),
    )
  }
}

/** How a topic is kept small. Without `retention.ms` its records stay: a log in one file is not to lose what nobody said may go. */
function cleanupOf(configs: { readonly [name: string]: string }) {
  const policy = configs['cleanup.policy'] ?? 'delete'
  const retentionMs = Number(configs['retention.ms'] ?? -1)
  return {
    isCompacted: policy.includes('compact'),
    retentionMs: policy.includes('delete') && retentionMs >= 0 ? retentionMs : Infinity,
    maxMessageBytes: Number(configs['max.message.bytes'] ?? Infinity),
  }
}
