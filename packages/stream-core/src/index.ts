/** stream-core: stateful stream processing on Kafka for Node. */
export type {
  Admin,
  Broker,
  CommittedOffset,
  FetchedPartition,
  LogProducer,
  LogProducerOptions,
  LogReader,
  LogReaderOptions,
  OffsetSpec,
  OnDelivered,
  TopicDescription,
  TopicSpec,
} from './broker/broker.ts'
export { type Clock, systemClock } from './common/clock.ts'
export { type Duration, toMs } from './common/duration.ts'
export {
  BrokerError,
  ConfigError,
  type ErrorCode,
  FencedError,
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
export { bytes, float64, int64, int64Big, json, type Serde, type SerdeContext, string } from './common/serde.ts'
export { StreamsBuilder, type StreamsBuilderOptions } from './dsl/streams-builder.ts'
export type { KStream } from './dsl/kstream.ts'
export type { KTable } from './dsl/ktable.ts'
export type { AggregateOptions, CountOptions, KGroupedStream, TimeWindowedKStream } from './dsl/kgrouped-stream.ts'
export type { Consumed, Grouped, Named, Produced, StoreOptions } from './dsl/options.ts'
export { timeWindows, type TimeWindowsOptions } from './dsl/windows.ts'
export type { Windowed } from './operators/window-aggregate.ts'
export type { Processor, ProcessorSupplier } from './processor/processor.ts'
export type { Cancellable, ProcessorContext, PunctuationType, RecordMetadata } from './processor/processor-context.ts'
export type { ErrorHandler, FailedRecord, HandlerDecision } from './runtime/handlers.ts'
export type { RestoreProgress } from './runtime/restorer.ts'
export { Streams } from './runtime/streams.ts'
export type { StreamsDescription, TaskDescription } from './runtime/describe-state.ts'
export type { StreamsOptions, StreamsState } from './runtime/streams-config.ts'
export { commitSteps, type CommitStep } from './runtime/commit-group.ts'
export type { KeyValueStore, TimestampedKeyValueStore, ValueAndTimestamp } from './state/key-value-store.ts'
export type { TimestampedWindowStore } from './state/window-store.ts'
export type { Topology } from './topology/topology.ts'
