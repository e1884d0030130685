/** For tests of topologies: no broker, no time that passes by itself, no disk. */
export type { ProducedRecord } from './testing/driver-log.ts'
export type { DrainOptions, DriverCommitOptions, TopologyTestDriverOptions } from './testing/driver-options.ts'
export type { Partitions } from './testing/driver-partitions.ts'
export {
  type PipeOptions,
  TestInputTopic,
  type TestInputOptions,
  TestOutputTopic,
  type TestRecord,
  type TopicSerdes,
} from './testing/test-topics.ts'
export { TopologyTestDriver } from './testing/topology-test-driver.ts'
