/** Any Kafka-protocol cluster, 3.5 or newer: the way to run on more than one machine. */
export { kafkaBroker, type KafkaBrokerOptions } from './adapters/kafka/kafka-broker.ts'
export type { KafkaSasl } from './adapters/kafka/wire.ts'
