import { defaultPartitions } from '@voting/election/topics'
import { databaseUrl, logLevel, type Variables } from '@voting/election/environment'

/** What `npm run ingest` reads from the environment. */
export const ingestVariables = {
  DATABASE_URL: databaseUrl,
  KAFKA_BROKERS: { kind: 'text', description: 'Kafka brokers, as host:port, several with commas' },
  PORT: {
    kind: 'number',
    fallback: '3000',
    max: 65_535,
    description: 'Port of the pages and the API; 0 for any free one',
  },
  HOST: { kind: 'text', fallback: '127.0.0.1', description: 'Address to listen on; 0.0.0.0 for all' },
  OPS_PORT: {
    kind: 'number',
    fallback: '9100',
    max: 65_535,
    description: 'Port of /livez, /readyz and /metrics; 0 for any free one',
  },
  OPS_HOST: { kind: 'text', fallback: '127.0.0.1', description: 'Address of the operations port' },
  ORGANISER_TOKEN: {
    kind: 'text',
    optional: true,
    requiredInProduction: true,
    secret: true,
    description: 'What organisers sign in with. Required in production; else generated and kept in PostgreSQL',
  },
  PUBLIC_URL: { kind: 'httpUrl', optional: true, description: 'Where voters reach this app. Default: its own address' },
  RESULTS_URL: { kind: 'httpUrl', fallback: 'http://127.0.0.1:3001', description: 'Where the viewer is to be reached' },
  BALLOT_PARTITIONS: {
    kind: 'number',
    fallback: String(defaultPartitions),
    min: 1,
    max: 1000,
    description: 'Partitions of the topics this app makes when they are missing',
  },
  FAILURES_PER_MINUTE: {
    kind: 'number',
    fallback: '120',
    min: 1,
    description:
      'Refused ballots per address and minute before it is told to wait (429); valid codes are never refused',
  },
  LOG_LEVEL: logLevel,
} as const satisfies Variables
