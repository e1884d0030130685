import type { ConnectionOptions as TlsOptions } from 'node:tls'
import {
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  apiVersionsV4,
  compressionsAlgorithms,
  type Connection,
  ConnectionPool,
  createAPI,
  createTopicsV7,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  deleteRecordsV2,
  deleteTopicsV6,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  endTxnV4,
  fetchV17,
  findCoordinatorV6,
  heartbeatV4,
  initProducerIdV5,
  joinGroupV9,
  leaveGroupV5,
  listOffsetsV9,
  listTransactionsV0,
  metadataV12,
  offsetCommitV9,
  offsetFetchV9,
  produceV11,
  type Reader,
  syncGroupV5,
  txnOffsetCommitV4,
  Writer,
} from '@platformatic/kafka'
import type { Compression } from '../../common/compression.ts'

/**
 * Everything this project takes from the client library (D9): connections, the encoding of single requests, compression.
 * Its consumer, producer and transaction classes are not used: they deliver aborted records, lose concurrent offsets and
 * loop on split leadership. Where a newer version of a request has the same bytes as an older one, it is built on that.
 */
export type { Connection }

export interface Node {
  readonly host: string
  readonly port: number
}

export interface Sasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER'
  readonly username?: string
  readonly password?: string
  readonly token?: string
}

export interface WireOptions {
  readonly tls?: TlsOptions
  readonly sasl?: Sasl
}

/** Connections by broker for one purpose: a broker answers one request at a time per connection. */
export class Pool {
  readonly #pool: ConnectionPool

  constructor(clientId: string, options: WireOptions, requestTimeoutMs: number) {
    this.#pool = new ConnectionPool(clientId, {
      connectTimeout: 5000,
      requestTimeout: requestTimeoutMs,
      ...(options.tls && { tls: options.tls }),
      ...(options.sasl && { sasl: options.sasl }),
    })
  }

  get({ host, port }: Node): Promise<Connection> {
    return this.#pool.get({ host, port })
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

type Api<Args extends readonly unknown[], Response> = {
  readonly async: (connection: Connection, ...args: [...Args]) => Promise<Response>
} & ((connection: Connection, ...args: never[]) => void)

type Callback<Response> = (error: (Error & { response?: Response }) | null, response?: Response) => void

/** Sends a request. An answer that carries error codes is an answer: the codes are the caller's to read. */
export function call<Args extends readonly unknown[], Response>(
  connection: Connection,
  api: Api<Args, Response>,
  ...args: Args
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const done: Callback<Response> = (error, response) => {
      if (error?.response !== undefined) resolve(error.response)
      else if (error) reject(error)
      else resolve(response as Response)
    }
    const send = api as unknown as (connection: Connection, ...args: unknown[]) => void
    send(connection, ...args, done)
  })
}

/** A batch for a partition, sealed. */
export interface ProducePartition {
  readonly partition: number
  readonly batch: Buffer
}

const acksOfAll = -1

const produceRequest = (
  transactionalId: string | null,
  timeoutMs: number,
  topics: ReadonlyMap<string, readonly ProducePartition[]>,
): Writer =>
  Writer.create()
    .appendString(transactionalId)
    .appendInt16(acksOfAll)
    .appendInt32(timeoutMs)
    .appendArray([...topics], (writer, [topic, partitions]) =>
      writer.appendString(topic).appendArray([...partitions], (inner, { partition, batch }) =>
        inner
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch),
      ),
    )
    .appendTaggedFields()

type ProduceArguments = [
  transactionalId: string | null,
  timeoutMs: number,
  topics: ReadonlyMap<string, readonly ProducePartition[]>,
]

const produce = (version: number) =>
  createAPI<ProduceArguments, ReturnType<typeof produceV11.parseResponse>>(
    0,
    version,
    produceRequest,
    produceV11.parseResponse,
  )

interface EndTransactionResponse {
  readonly errorCode: number
  /** −1 where the version does not say. */
  readonly producerId: bigint
  readonly producerEpoch: number
}

export const requests = {
  addOffsetsToTransaction: addOffsetsToTxnV4.api,
  addPartitionsToTransaction: addPartitionsToTxnV3.api,
  apiVersions: apiVersionsV4.api,
  createTopics: createTopicsV7.api,
  deleteRecords: deleteRecordsV2.api,
  deleteTopics: deleteTopicsV6.api,
  endTransactionV1: endTxnV4.api,
  /** Transaction version 2 (KIP-890): answers with the producer id and epoch to go on with. */
  endTransactionV2: createAPI<Parameters<typeof endTxnV4.createRequest>, EndTransactionResponse>(
    26,
    5,
    endTxnV4.createRequest,
    (_correlationId, _apiKey, _apiVersion, reader: Reader) => {
      reader.readInt32()
      return { errorCode: reader.readInt16(), producerId: reader.readInt64(), producerEpoch: reader.readInt16() }
    },
  ),
  /** The bare response: `readFetchResponse` walks it, so that records are not touched before they are wanted. */
  fetch: createAPI<Parameters<typeof fetchV17.createRequest>, Buffer>(
    1,
    17,
    fetchV17.createRequest,
    (_correlationId, _apiKey, _apiVersion, reader) => reader.buffer.buffer,
  ),
  findCoordinator: findCoordinatorV6.api,
  heartbeat: heartbeatV4.api,
  initProducerId: initProducerIdV5.api,
  joinGroup: joinGroupV9.api,
  leaveGroup: leaveGroupV5.api,
  listOffsets: listOffsetsV9.api,
  listTransactions: listTransactionsV0.api,
  metadata: metadataV12.api,
  offsetCommit: offsetCommitV9.api,
  offsetFetch: offsetFetchV9.api,
  produceV11: produce(11),
  produceV12: produce(12),
  syncGroup: syncGroupV5.api,
  transactionOffsetCommitV4: txnOffsetCommitV4.api,
  transactionOffsetCommitV5: createAPI<
    Parameters<typeof txnOffsetCommitV4.createRequest>,
    ReturnType<typeof txnOffsetCommitV4.parseResponse>
  >(28, 5, txnOffsetCommitV4.createRequest, txnOffsetCommitV4.parseResponse),
} as const

/** All four of Kafka's formats. */
export const kafkaCompression: Compression = {
  compress: (name, bytes) => compressionsAlgorithms[name].compressSync(bytes),
  decompress: (name, bytes) => compressionsAlgorithms[name].decompressSync(bytes),
}

/** What members of a group say to each other (KIP-429, KIP-792). */
export const groupProtocol = {
  encodeSubscription: encodeConsumerProtocolSubscription,
  decodeSubscription: decodeConsumerProtocolSubscription,
  encodeAssignment: encodeConsumerProtocolAssignment,
  decodeAssignment: decodeConsumerProtocolAssignment,
} as const
