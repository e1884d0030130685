import { ballotsUnderWayMax, ballotWaitMs } from './ballot-gate.ts'
import { defaultPartitions } from '@voting/election/topics'
import { databaseUrl, logLevel, shutdownTimeoutSeconds, type Variables } from '@voting/election/environment'

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
    secret: true,
    description:
      'What programs send as `Authorization: Bearer`. Outside production it also signs organisers in, and is generated and kept in PostgreSQL if absent. In production it is required unless there is OIDC_ISSUER',
  },
  PUBLIC_URL: { kind: 'httpUrl', optional: true, description: 'Where voters reach this app. Default: its own address' },
  PROXY_HOPS: {
    kind: 'number',
    fallback: '0',
    max: 10,
    description: 'Proxies before this app, whose X-Forwarded headers are believed',
  },
  OIDC_ISSUER: {
    kind: 'httpUrl',
    optional: true,
    description: 'OpenID provider that organisers and voters may sign in with; https in production',
  },
  OIDC_CLIENT_ID: { kind: 'text', optional: true, description: 'This app at the provider' },
  OIDC_CLIENT_SECRET: {
    kind: 'text',
    optional: true,
    secret: true,
    description: 'Its secret at the provider; absent: a public client, with PKCE',
  },
  OIDC_SCOPE: { kind: 'text', fallback: 'openid profile email', description: 'What is asked of the provider' },
  OIDC_NAME: { kind: 'text', fallback: 'your organisation', description: 'What the provider is called on the pages' },
  OIDC_ORGANISERS: {
    kind: 'text',
    optional: true,
    description:
      'Who at the provider may organise polls, as claim=value; * for everybody there. Required with OIDC_ISSUER',
  },
  SMTP_URL: {
    kind: 'smtpUrl',
    optional: true,
    secret: true,
    description:
      'Mail server for polls of listed addresses, as smtp://user:password@host:587, or smtps: for TLS from the first byte',
  },
  MAIL_FROM: {
    kind: 'text',
    optional: true,
    description: 'Who mails are from, as Elections <elections@city.example>. Required with SMTP_URL',
  },
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
      'Refused requests per address (of IPv6: per /64 network) and minute before it is told to wait (429), and as many mails that may be asked for; valid codes are never refused',
  },
  BALLOT_WAIT_MS: {
    kind: 'number',
    fallback: String(ballotWaitMs),
    min: 100,
    max: 8000,
    description:
      'How long a ballot may have to wait for its answer: whoever would have to wait longer, as measured, is told at once to come again (503 `overloaded`)',
  },
  BALLOTS_UNDER_WAY_MAX: {
    kind: 'number',
    fallback: String(ballotsUnderWayMax),
    min: 1,
    max: 100_000,
    description: 'Ballots that may be under way at once, however short their wait',
  },
  SHUTDOWN_TIMEOUT_SECONDS: shutdownTimeoutSeconds,
  LOG_LEVEL: logLevel,
} as const satisfies Variables
