import { defaultPartitions, tallyApplicationId } from '@voting/election/topics'
import { databaseUrl, logLevel, shutdownTimeoutSeconds, type Variables } from '@voting/election/environment'

/** What `npm run tally` reads from the environment. */
export const tallyVariables = {
  DATABASE_URL: databaseUrl,
  KAFKA_BROKERS: { kind: 'text', description: 'Kafka brokers, as host:port, several with commas' },
  APPLICATION_ID: {
    kind: 'name',
    fallback: tallyApplicationId,
    description:
      'Name of the stream application in Kafka: its group, its transactional id, the prefix of its internal topics',
  },
  STATE_DIR: {
    kind: 'text',
    fallback: 'data/tally-state',
    description: 'Folder of the state; what is lost is restored from Kafka',
  },
  OPS_PORT: {
    kind: 'number',
    fallback: '9101',
    max: 65_535,
    description: 'Port of /operations, /livez, /readyz and /metrics; 0 for any free one',
  },
  OPS_HOST: {
    kind: 'text',
    fallback: '127.0.0.1',
    description: 'Address of the operations port; who reaches it can read /operations, so it is none for the public',
  },
  OPS_ENDPOINT: {
    kind: 'endpoint',
    optional: true,
    description:
      'Where other tallies reach this operations port, as host:port. Default: OPS_HOST, or the name of the machine if that is 0.0.0.0 or ::',
  },
  OPS_SHOW_VALUES: {
    kind: 'flag',
    fallback: 'false',
    description:
      'Whether /operations shows what is stored under a key that is asked for, and not only that it is there',
  },
  BALLOT_PARTITIONS: {
    kind: 'number',
    fallback: String(defaultPartitions),
    min: 1,
    max: 1000,
    description: 'Partitions of the topics this app makes when they are missing',
  },
  SHUTDOWN_TIMEOUT_SECONDS: shutdownTimeoutSeconds,
  LOG_LEVEL: logLevel,
} as const satisfies Variables
