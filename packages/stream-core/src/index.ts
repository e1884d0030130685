/** stream-core: stateful stream processing on Kafka for Node. */
export type {
  Admin,
  Broker,
  CommittedOffset,
  FetchedPartition,
  GroupMemberDescription,
  LogProducer,
  LogProducerOptions,
  LogReader,
  LogReaderOptions,
  OffsetSpec,
  OnDelivered,
  OnRefused,
  ReadFrom,
  TopicDescription,
  TopicSpec,
} from './broker/broker.ts'
export { type Clock, systemClock } from './common/clock.ts'
export { type Duration, toMs } from './common/duration.ts'
export {
  ArgumentError,
  BrokerError,
  BufferFullError,
  ConfigError,
  type ErrorCode,
  FencedError,
  FlushError,
  OffsetOutOfRangeError,
  ProcessingError,
  SerdeError,
  StoreNotAvailableError,
  StreamsError,
  TaskCorruptedError,
  TopologyError,
  TransactionAbortableError,
} from './common/errors.ts'
export { type Logger, silentLogger } from './common/logger.ts'
export { partitionForKey } from './common/murmur2.ts'
export { type Headers, noHeaders, type Record, type TopicPartition } from './common/record.ts'
export {
  boolean,
  bytes,
  float32,
  float64,
  int16,
  int32,
  int64,
  int64Big,
  json,
  type JsonSerde,
  list,
  type ListOptions,
  schema,
  type SchemaInput,
  type SchemaIssue,
  type SchemaOptions,
  type SchemaOutput,
  type Serde,
  type SerdeContext,
  type StandardSchema,
  string,
  uuid,
  voidSerde,
} from './common/serde.ts'
export type { AsyncProcessorSupplier, AsyncValueOptions } from './dsl/async-operators.ts'
export type { AggregateOptions, CountOptions, ReduceOptions } from './dsl/aggregation.ts'
export type { Branches, BranchPredicate, BranchStreams } from './dsl/branches.ts'
export type {
  CogroupAggregateOptions,
  CogroupedKStream,
  SessionCogroupAggregateOptions,
  WindowedCogroupedKStream,
} from './dsl/cogrouped-kstream.ts'
export type { ForeignKeyJoinOptions } from './dsl/foreign-key-joins.ts'
export type { GlobalKTable } from './dsl/global-ktable.ts'
export type { Optimization } from './dsl/graph/stream-graph.ts'
export type {
  GlobalJoinOptions,
  JoinableAlone,
  JoinableWith,
  JoinOptions,
  MergeableWith,
  OuterJoinableAlone,
  OuterJoinableWith,
  RightSide,
  RightValue,
  StreamJoinOptions,
  TableJoinableAlone,
  TableJoinableOuter,
  TableJoinableWith,
  TableJoinOptions,
  TableOptions,
} from './dsl/join-types.ts'
export type { KGroupedStream } from './dsl/kgrouped-stream.ts'
export type { KGroupedTable, TableAggregateOptions, TableReduceOptions } from './dsl/kgrouped-table.ts'
export type { KStream } from './dsl/kstream.ts'
export type { KTable } from './dsl/ktable.ts'
export type {
  Consumed,
  GlobalStoreOptions,
  Grouped,
  Joined,
  JoinStore,
  Named,
  Produced,
  Repartitioned,
  StoreOptions,
  StreamJoined,
  TableJoined,
} from './dsl/options.ts'
export type { SessionAggregateOptions, SessionWindowedKStream } from './dsl/session-windowed-kstream.ts'
export {
  type CustomStoreSettings,
  type KeyValueStoreSettings,
  type SessionStoreSettings,
  stores,
  type VersionedStoreSettings,
  type WindowStoreSettings,
} from './dsl/stores.ts'
export { type BuildOptions, StreamsBuilder, type StreamsBuilderOptions } from './dsl/streams-builder.ts'
export { type SuppressBufferOptions, type Suppressed, untilTimeLimit, untilWindowCloses } from './dsl/suppressed.ts'
export type { TableMapOptions, ValueTransformer, ValueTransformerSupplier } from './dsl/table-maps.ts'
export type { EmitStrategy, TimeWindowedKStream } from './dsl/time-windowed-kstream.ts'
export { sessionWindowed, timeWindowed, type WindowedSerde } from './dsl/windowed-serde.ts'
export {
  joinWindows,
  type JoinWindowsOptions,
  sessionWindows,
  slidingWindows,
  timeWindows,
  type TimeWindowsOptions,
  unlimitedWindows,
} from './dsl/windows.ts'
export type { Windowed } from './common/windowed.ts'
export type { AsyncCallContext, AsyncErrorPolicy, AsyncOptions } from './operators/async-calls.ts'
export type { AsyncProcessor } from './operators/async-process.ts'
export type { JoinWindows, SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from './operators/windows.ts'
export type {
  FixedKeyProcessor,
  FixedKeyProcessorSupplier,
  Processor,
  ProcessorSupplier,
} from './processor/processor.ts'
export type {
  Cancellable,
  FixedKeyProcessorContext,
  ProcessingContext,
  ProcessorContext,
  PunctuationType,
  RecordMetadata,
  ScheduleOptions,
} from './processor/processor-context.ts'
export type {
  QueryKind,
  ReadOnlyKeyValueStore,
  ReadOnlySessionStore,
  ReadOnlyStores,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
} from './queries/read-only-stores.ts'
export type {
  InstanceInfo,
  KeyMetadata,
  KeyPartitioner,
  StoreLag,
  StoreMetadata,
  StoreQuery,
  InputBound,
} from './queries/store-query.ts'
export type {
  ErrorHandler,
  FailedRecord,
  HandlerDecision,
  ProductionHandler,
  UnwrittenRecord,
} from './runtime/handlers.ts'
export type { RestoreProgress } from './runtime/listeners.ts'
export type { RebalanceListener, RestoredStore, RestoreListener, StandbyListener } from './runtime/listeners.ts'
export { Streams } from './runtime/streams.ts'
export type { StreamsDescription, TaskDescription } from './runtime/describe-state.ts'
export type { StreamsOptions, StreamsState } from './runtime/streams-config.ts'
export { commitSteps, type CommitStep } from './runtime/commit-group.ts'
export type {
  KeyValueStore,
  RangeOptions,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
} from './state/key-value-store.ts'
export type { SessionStore } from './state/session-store.ts'
export type { CustomRows, RowRange } from './state/custom-store.ts'
export type { Isolation } from './state/layered-table.ts'
export type { StateStore } from './state/state-store.ts'
export type {
  CustomStoreSpec,
  KeyValueStoreSpec,
  SessionStoreSpec,
  StoreSpec,
  VersionedStoreSpec,
  WindowStoreSpec,
} from './state/store-spec.ts'
export type { PutOutcome, VersionedKeyValueStore, VersionedRecord } from './state/versioned-store.ts'
export type { TimestampedWindowStore, WindowReadOptions, WindowStore } from './state/window-store.ts'
export type { TopologyFinding } from './topology/lint.ts'
export {
  failOnInvalidTimestamp,
  skipInvalidTimestamp,
  usePartitionTimeOnInvalidTimestamp,
} from './topology/timestamp-extractors.ts'
export type {
  OffsetReset,
  ProcessorStore,
  StreamPartitioner,
  TimestampExtractor,
  TopicNameExtractor,
} from './topology/node.ts'
export {
  type ProcessorOptions,
  type SinkOptions,
  type ReadOnlyStoreOptions,
  type SourceOptions,
  TopologyBuilder,
} from './topology/topology-builder.ts'
export type { Topology } from './topology/topology.ts'
