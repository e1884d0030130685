/** For tests of topologies: no broker, no time that passes by itself, no disk. */
export {
  type TestInputTopic,
  type TestOutputTopic,
  type TestRecord,
  TopologyTestDriver,
  type TopologyTestDriverOptions,
} from './testing/topology-test-driver.ts'
