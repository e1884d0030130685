import type { ConnectionOptions as TlsOptions } from 'node:tls'
import {
  addOffsetsToTxnV4,
  addPartitionsToTxnV3,
  apiVersionsV3,
  compressionsAlgorithms,
  Connection,
  ConnectionPool,
  createAPI,
  createTopicsV7,
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  deleteRecordsV2,
  deleteTopicsV6,
  describeGroupsV5,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  endTxnV4,
  fetchV17,
  findCoordinatorV6,
  heartbeatV4,
  initProducerIdV5,
  joinGroupV9,
  leaveGroupV5,
  listGroupsV4,
  listOffsetsV9,
  listTransactionsV0,
  metadataV12,
  offsetCommitV9,
  offsetDeleteV0,
  offsetFetchV8,
  offsetFetchV9,
  produceV11,
  type Reader,
  type ResponseParser,
  saslHandshakeV1,
  syncGroupV5,
  txnOffsetCommitV4,
  Writer,
} from '@platformatic/kafka'
import type { Compression } from '../../common/compression.ts'
import { BrokerError } from '../../common/errors.ts'
import { errorCode } from './kafka-errors.ts'

/**
 * Everything this project takes from the client library (D9): connections, the encoding of single requests, compression.
 * Its consumer, producer and transaction classes are not used: they deliver aborted records, lose concurrent offsets and
 * loop on split leadership. Where a newer version of a request has the same bytes as an older one, it is built on that.
 */
export { Connection, ConnectionPool }

export interface Node {
  readonly host: string
  readonly port: number
}

/** How a program says who it is. */
export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'OAUTHBEARER'
      /** A function is asked for each connection, and again before a token expires, where the broker ends sessions then. */
      readonly token: string | (() => string | Promise<string>)
      /** SASL extensions (KIP-342), as some services ask for. */
      readonly extensions?: { readonly [name: string]: string }
    }

export interface WireOptions {
  readonly tls?: TlsOptions
  readonly sasl?: KafkaSasl
}

type Send<Args extends readonly unknown[], Response> = {
  readonly async: (connection: Connection, ...args: [...Args]) => Promise<Response>
} & ((connection: Connection, ...args: never[]) => void)

/** A request in the versions that are known here. */
export interface Request<Args extends readonly unknown[], Response> {
  readonly name: string
  readonly key: number
  /** Newest first. */
  readonly versions: readonly { readonly version: number; readonly send: Send<Args, Response> }[]
}

/** What a broker said of itself when a connection to it was made. */
export interface Peer {
  readonly address: string
  /** The lowest and the highest version of each request, by its key. */
  readonly ranges: ReadonlyMap<number, readonly [number, number]>
  /** Levels of the features of the cluster, by name. */
  readonly features: ReadonlyMap<string, number>
  /** It has answered a request on this connection. */
  isHeard: boolean
}

const peers = new WeakMap<Connection, Peer>()

export const peerOf = (connection: Connection): Peer | undefined => peers.get(connection)

/** Asks a broker what it can, once per connection and before anything else. */
export async function introduce(connection: Connection, address: string): Promise<void> {
  const answer = await answerOf<Awaited<ReturnType<typeof apiVersionsV3.api.async>>>((done) =>
    apiVersionsV3.api(connection, 'stream-core', '0.1', done),
  )
  if (answer.errorCode !== errorCode.none) throw tooOld(`the broker at ${address} does not know how to be asked`)
  peers.set(connection, {
    address,
    ranges: new Map(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]])),
    features: new Map((answer.finalizedFeatures ?? []).map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
    isHeard: false,
  })
}

/** The mechanisms a broker takes; null where it asks nobody who he is. On a connection that is of no use afterwards. */
export async function askForMechanisms(connection: Connection): Promise<readonly string[] | null> {
  const answer = await answerOf<{ errorCode: number; mechanisms: string[] }>((done) =>
    saslHandshakeV1.api(connection, 'PLAIN', done),
  )
  return answer.errorCode === 0 || answer.errorCode === errorCode.unsupportedSaslMechanism ? answer.mechanisms : null
}

/** The newest version that both sides know. */
function choose<Args extends readonly unknown[], Response>(
  { address, ranges }: Peer,
  { name, key, versions }: Request<Args, Response>,
): Send<Args, Response> {
  const range = ranges.get(key)
  const fitting = range && versions.find(({ version }) => version >= range[0] && version <= range[1])
  if (fitting) return fitting.send
  const [newest, oldest] = [versions[0]!.version, versions[versions.length - 1]!.version]
  const ours = oldest === newest ? `version ${newest}` : `versions ${oldest} to ${newest}`
  const theirs = range ? `knows versions ${range[0]} to ${range[1]} of ${name}` : `does not know ${name}`
  throw tooOld(`the broker at ${address} ${theirs}, and this program ${ours}`)
}

const tooOld = (what: string): BrokerError =>
  new BrokerError('BROKER_REFUSED', `${what}: Kafka 3.5 or newer is needed`, { retryable: false })

/** Sends a request. An answer that carries error codes is an answer: the codes are the caller's to read. */
export async function call<Args extends readonly unknown[], Response>(
  connection: Connection,
  request: Request<Args, Response>,
  ...args: Args
): Promise<Response> {
  const peer = peers.get(connection)!
  const send = choose(peer, request) as unknown as (connection: Connection, ...args: unknown[]) => void
  // Between the steps of an authentication a broker takes nothing else (KIP-368).
  if (connection.status === 'reauthenticating') await connection.ready()
  const answer = await answerOf<Response>((done) => send(connection, ...args, done))
  peer.isHeard = true
  return answer
}

type Callback<Response> = (error: (Error & { response?: Response }) | null, response?: Response) => void

function answerOf<Response>(send: (done: Callback<Response>) => void): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => {
      if (error?.response !== undefined) resolve(error.response)
      else if (error) reject(error)
      else resolve(response as Response)
    })
  })
}

/** A request in all versions of a range: they have the same bytes, ours and the broker's, as far as they are read here. */
function versions<Args extends readonly unknown[], Response>(
  name: string,
  module: {
    readonly api: { readonly key: number }
    readonly createRequest: (...args: [...Args]) => Writer
    readonly parseResponse: ResponseParser<Response>
  },
  from: number,
  to: number,
): Request<[...Args], Response> {
  const { createRequest, parseResponse } = module
  const { key } = module.api
  return {
    name,
    key,
    versions: Array.from({ length: to - from + 1 }, (_, i) => {
      const version = to - i
      const send: unknown = createAPI<[...Args], Response>(key, version, createRequest, parseResponse)
      return { version, send: send as Send<[...Args], Response> }
    }),
  }
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

const produceModule = {
  api: produceV11.api,
  createRequest: produceRequest,
  parseResponse: produceV11.parseResponse,
}

const endTransactionModule = {
  api: endTxnV4.api,
  createRequest: endTxnV4.createRequest,
  parseResponse(_correlationId: number, _apiKey: number, _apiVersion: number, reader: Reader): EndTransactionResponse {
    reader.readInt32()
    return { errorCode: reader.readInt16(), producerId: reader.readInt64(), producerEpoch: reader.readInt16() }
  },
}

interface EndTransactionResponse {
  readonly errorCode: number
  readonly producerId: bigint
  readonly producerEpoch: number
}

const fetchModule = {
  api: fetchV17.api,
  createRequest: fetchV17.createRequest,
  /** The bare response: `readFetchResponse` walks it, so that records are not touched before they are wanted. */
  parseResponse: (_correlationId: number, _apiKey: number, _apiVersion: number, reader: Reader): Buffer =>
    reader.buffer.buffer,
}

const offsetFetch = versions('OffsetFetch', offsetFetchV9, 9, 9)

/**
 * Versions are those of Kafka 3.5 and later, and end where a newer one would mean something else: AddPartitionsToTxn 4 is for
 * brokers, Produce 12, TxnOffsetCommit 5 and EndTxn 5 belong to transactions of version 2 (KIP-890).
 */
export const requests = {
  addOffsetsToTransaction: versions('AddOffsetsToTxn', addOffsetsToTxnV4, 3, 4),
  addPartitionsToTransaction: versions('AddPartitionsToTxn', addPartitionsToTxnV3, 3, 3),
  createTopics: versions('CreateTopics', createTopicsV7, 7, 7),
  deleteRecords: versions('DeleteRecords', deleteRecordsV2, 2, 2),
  deleteTopics: versions('DeleteTopics', deleteTopicsV6, 6, 6),
  describeGroups: versions('DescribeGroups', describeGroupsV5, 5, 5),
  endTransactionV1: versions('EndTxn', endTxnV4, 3, 4),
  /** Answers with the producer id and epoch to go on with. */
  endTransactionV2: versions('EndTxn', endTransactionModule, 5, 5),
  fetch: versions('Fetch', fetchModule, 15, 17),
  findCoordinator: versions('FindCoordinator', findCoordinatorV6, 4, 6),
  heartbeat: versions('Heartbeat', heartbeatV4, 4, 4),
  initProducerId: versions('InitProducerId', initProducerIdV5, 4, 5),
  joinGroup: versions('JoinGroup', joinGroupV9, 9, 9),
  leaveGroup: versions('LeaveGroup', leaveGroupV5, 5, 5),
  listGroups: versions('ListGroups', listGroupsV4, 4, 4),
  listOffsets: versions('ListOffsets', listOffsetsV9, 7, 9),
  listTransactions: versions('ListTransactions', listTransactionsV0, 0, 0),
  metadata: versions('Metadata', metadataV12, 12, 12),
  offsetCommit: versions('OffsetCommit', offsetCommitV9, 8, 9),
  /** Made here, and not by `versions`: its header is of the old kind. */
  offsetDelete: { name: 'OffsetDelete', key: 47, versions: [{ version: 0, send: offsetDeleteV0.api }] },
  /** Version 8 does not say which member asks. */
  offsetFetch: { ...offsetFetch, versions: [...offsetFetch.versions, { version: 8, send: offsetFetchV8.api }] },
  produce: versions('Produce', produceModule, 9, 11),
  produceV2: versions('Produce', produceModule, 12, 12),
  syncGroup: versions('SyncGroup', syncGroupV5, 5, 5),
  transactionOffsetCommitV1: versions('TxnOffsetCommit', txnOffsetCommitV4, 3, 4),
  transactionOffsetCommitV2: versions('TxnOffsetCommit', txnOffsetCommitV4, 5, 5),
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
