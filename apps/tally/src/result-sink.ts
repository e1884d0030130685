import { inTransaction } from '@voting/election/database'
import type { AnalyticsDocument } from '@voting/election/analytics-events'
import type { ReceiptDocument, ResultDocument, TrendDocument } from '@voting/election/events'
import { topics } from '@voting/election/topics'
import type { Pool, PoolClient } from 'pg'
import { type Broker, BrokerError, type Logger, type LogReader } from 'stream-core'
import { SinkBatch } from './sink-batch.ts'

export interface ResultSinkOptions {
  readonly broker: Broker
  readonly pool: Pool
  readonly logger: Logger
}

const sources = [topics.results, topics.trends, topics.receipts, topics.analytics] as const
/** One writer at a time: revisions then become visible in their order, and viewers may ask for what is newer. */
const sinkLock = 7_235_002
const retryMs = 500
/** More than this is written in several transactions, so that the first viewer need not wait for the last row. */
const rowsPerBatch = 5000

/** Another sink has moved a position on: what was read here is written already. */
class PositionMovedError extends Error {}

/**
 * Carries results into PostgreSQL, outside the topology: reads what the tally has committed and writes it in batches. The
 * position in the log is stored in the same transaction as the rows, so each batch is there once, whole or not at all:
 *
 *   1. Read on from the stored positions; a topic that was made anew begins at its start.
 *   2. Collect: of each key only the newest value.
 *   3. In one transaction: take the lock, check that nobody else has moved the positions, write the rows, move them, and
 *      notify the viewers, who are told at the commit.
 *   4. If PostgreSQL is away, the same batch is tried again; nothing is dropped.
 */
export class ResultSink {
  readonly #options: ResultSinkOptions
  #reader: LogReader | null = null
  #topicIds = new Map<string, string>()
  #isStopping = false
  #running: Promise<void> = Promise.resolve()
  /** Why rows do not arrive at the moment; null when they do. */
  trouble: string | null = 'starting'

  constructor(options: ResultSinkOptions) {
    this.#options = options
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#reader?.wakeup()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#open()
        this.trouble = null
        while (!this.#isStopping) await this.#pump()
      } catch (error) {
        if (!(error instanceof PositionMovedError)) {
          this.trouble = String(error)
          this.#options.logger.warn(
            { event: 'sink.retrying', error: String(error) },
            'results do not reach PostgreSQL; trying again',
          )
          if (!this.#isStopping) await new Promise((resolve) => setTimeout(resolve, retryMs))
        }
      } finally {
        await this.#reader?.close()
        this.#reader = null
      }
    }
  }

  /** 1. */
  async #open(): Promise<void> {
    const { broker, pool } = this.#options
    const described = await broker.admin.describeTopics(sources)
    const partitions = sources.flatMap((topic) => {
      const description = described.get(topic)
      if (!description)
        throw new BrokerError('BROKER_UNAVAILABLE', `the topic ${topic} does not exist yet`, { retryable: true })
      this.#topicIds.set(topic, description.topicId)
      return Array.from({ length: description.partitionCount }, (_, partition) => ({ topic, partition }))
    })
    const earliest = await broker.admin.listOffsets(partitions, 'earliest')
    const { rows } = await pool.query<{ topic: string; partition: number; topic_id: string; next_offset: string }>(
      'SELECT * FROM sink_positions',
    )
    const stored = new Map(
      rows
        .filter((row) => this.#topicIds.get(row.topic) === row.topic_id)
        .map((row) => [`${row.topic}:${row.partition}`, Number(row.next_offset)]),
    )
    this.#reader = broker.openReader({ isolation: 'read_committed' })
    this.#reader.assign(
      partitions.map(({ topic, partition }, i) => ({
        topic,
        partition,
        offset: Math.max(stored.get(`${topic}:${partition}`) ?? earliest[i]!, earliest[i]!),
      })),
    )
  }

  async #pump(): Promise<void> {
    const fetched = await this.#reader!.poll(500)
    let batch = new SinkBatch()
    for (const partition of fetched) {
      const { topic, records } = partition
      let from = records.position
      while (records.next()) {
        batch.add(topic, records.key(), records.value())
        if (batch.size >= rowsPerBatch) {
          batch.advance(partition, from, records.position)
          await this.#write(batch)
          batch = new SinkBatch()
          from = records.position
        }
      }
      batch.advance(partition, from, records.position)
    }
    if (batch.size > 0) await this.#write(batch)
  }

  /** 3 and 4. */
  async #write(batch: SinkBatch): Promise<void> {
    while (!this.#isStopping) {
      try {
        await inTransaction(this.#options.pool, (client) => this.#writeRows(client, batch))
        this.trouble = null
        return
      } catch (error) {
        if (error instanceof PositionMovedError) throw error
        this.trouble = String(error)
        this.#options.logger.warn(
          { event: 'sink.write-failed', error: String(error) },
          'PostgreSQL did not take a batch; trying again',
        )
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  async #writeRows(client: PoolClient, batch: SinkBatch): Promise<void> {
    await client.query('SELECT pg_advisory_xact_lock($1)', [sinkLock])
    await this.#movePositions(client, batch)
    if (batch.results.size > 0) await writeResults(client, [...batch.results.values()])
    if (batch.trends.size > 0) await writeTrends(client, [...batch.trends.values()])
    if (batch.analytics.size > 0) await writeAnalytics(client, [...batch.analytics.values()])
    if (batch.receipts.size > 0) await writeReceipts(client, [...batch.receipts])
    await client.query("SELECT pg_notify('results_changed', '')")
  }

  async #movePositions(client: PoolClient, batch: SinkBatch): Promise<void> {
    const { rows } = await client.query<{ topic: string; partition: number; topic_id: string; next_offset: string }>(
      'SELECT * FROM sink_positions FOR UPDATE',
    )
    const stored = new Map(rows.map((row) => [`${row.topic}:${row.partition}`, row]))
    for (const { topic, partition, from } of batch.positions) {
      const row = stored.get(`${topic}:${partition}`)
      if (row && row.topic_id === this.#topicIds.get(topic) && Number(row.next_offset) > from)
        throw new PositionMovedError()
    }
    const positions = [...batch.positions]
    await client.query(
      `INSERT INTO sink_positions (topic, partition, topic_id, next_offset)
       SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[])
       ON CONFLICT (topic, partition) DO UPDATE SET topic_id = excluded.topic_id, next_offset = excluded.next_offset`,
      [
        positions.map(({ topic }) => topic),
        positions.map(({ partition }) => partition),
        positions.map(({ topic }) => this.#topicIds.get(topic)),
        positions.map(({ to }) => to),
      ],
    )
  }
}

async function writeResults(client: PoolClient, documents: readonly ResultDocument[]): Promise<void> {
  await client.query(
    `INSERT INTO results (poll_id, epoch, version, document, revision)
     SELECT poll, epoch, version, document, nextval('results_revision')
     FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::jsonb[]) AS new (poll, epoch, version, document)
     ON CONFLICT (poll_id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version,
       document = excluded.document, revision = excluded.revision, updated_at = now()
     WHERE (results.epoch, results.version) < (excluded.epoch, excluded.version)`,
    [
      documents.map((document) => document.poll),
      documents.map((document) => document.epoch),
      documents.map((document) => document.version),
      documents.map((document) => JSON.stringify(document)),
    ],
  )
}

async function writeTrends(client: PoolClient, documents: readonly TrendDocument[]): Promise<void> {
  await client.query(
    `INSERT INTO trends (poll_id, window_ms, start_ms, epoch, version, counts, revision)
     SELECT poll, window_ms, start_ms, epoch, version, counts, nextval('results_revision')
     FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[])
       AS new (poll, window_ms, start_ms, epoch, version, counts)
     ON CONFLICT (poll_id, window_ms, start_ms) DO UPDATE SET epoch = excluded.epoch, version = excluded.version,
       counts = excluded.counts, revision = excluded.revision
     WHERE (trends.epoch, trends.version) < (excluded.epoch, excluded.version)`,
    [
      documents.map((document) => document.poll),
      documents.map((document) => document.windowMs),
      documents.map((document) => document.start),
      documents.map((document) => document.epoch),
      documents.map((document) => document.version),
      documents.map((document) => JSON.stringify(document.counts)),
    ],
  )
}

async function writeAnalytics(client: PoolClient, documents: readonly AnalyticsDocument[]): Promise<void> {
  await client.query(
    `INSERT INTO analytics (poll_id, kind, start_ms, epoch, version, document, revision)
     SELECT poll, kind, start_ms, epoch, version, document, nextval('results_revision')
     FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::jsonb[])
       AS new (poll, kind, start_ms, epoch, version, document)
     ON CONFLICT (poll_id, kind, start_ms) DO UPDATE SET epoch = excluded.epoch, version = excluded.version,
       document = excluded.document, revision = excluded.revision
     WHERE (analytics.epoch, analytics.version) < (excluded.epoch, excluded.version)`,
    [
      documents.map(({ poll }) => poll),
      documents.map(({ kind }) => kind),
      documents.map(({ start }) => start),
      documents.map(({ epoch }) => epoch),
      documents.map(({ version }) => version),
      documents.map((document) => JSON.stringify(document)),
    ],
  )
}

/** A receipt also tells that the log has the ballot: a claim whose fate was unknown is recorded. */
async function writeReceipts(
  client: PoolClient,
  receipts: readonly (readonly [string, ReceiptDocument])[],
): Promise<void> {
  await client.query(
    `INSERT INTO receipts (receipt, poll_id, ballot_id, status, reason, at)
     SELECT receipt, poll, ballot, status, reason, to_timestamp(at / 1000.0)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[])
       AS new (receipt, poll, ballot, status, reason, at)
     ON CONFLICT (receipt) DO UPDATE SET status = excluded.status, reason = excluded.reason, at = excluded.at`,
    [
      receipts.map(([receipt]) => receipt),
      receipts.map(([, document]) => document.poll),
      receipts.map(([, document]) => document.ballotId),
      receipts.map(([, document]) => document.status),
      receipts.map(([, document]) => document.reason ?? null),
      receipts.map(([, document]) => document.at),
    ],
  )
  await client.query(
    `UPDATE claims SET state = 'recorded', recorded_at = coalesce(recorded_at, now())
     WHERE receipt = ANY ($1::text[]) AND state = 'pending'`,
    [receipts.map(([receipt]) => receipt)],
  )
}
