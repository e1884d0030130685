import { databaseUrl, logLevel, shutdownTimeoutSeconds, type Variables } from '@voting/election/environment'

/** What `npm run viewer` reads from the environment. */
export const viewerVariables = {
  DATABASE_URL: databaseUrl,
  PORT: {
    kind: 'number',
    fallback: '3001',
    max: 65_535,
    description: 'Port of the pages, the API and the WebSocket; 0 for any free one',
  },
  HOST: { kind: 'text', fallback: '127.0.0.1', description: 'Address to listen on; 0.0.0.0 for all' },
  OPS_PORT: {
    kind: 'number',
    fallback: '9102',
    max: 65_535,
    description: 'Port of /livez, /readyz and /metrics; 0 for any free one',
  },
  OPS_HOST: { kind: 'text', fallback: '127.0.0.1', description: 'Address of the operations port' },
  BALLOT_URL: { kind: 'httpUrl', optional: true, description: 'Where ballots are cast, for the link on the page' },
  TICK_MS: {
    kind: 'number',
    fallback: '100',
    min: 10,
    max: 60_000,
    description:
      'Least time between two updates of a page; where there are more than a thousand it grows with them, to 1 s at 10,000',
  },
  CONNECTIONS_MAX: { kind: 'number', fallback: '20000', min: 1, description: 'WebSockets this process takes' },
  CONNECTIONS_PER_ADDRESS_MAX: {
    kind: 'number',
    fallback: '0',
    description: 'WebSockets of one address; 0: no limit, for a town hall has one address',
  },
  PROXY_HOPS: {
    kind: 'number',
    fallback: '0',
    max: 10,
    description: 'Proxies before this app, whose X-Forwarded-For is believed about addresses',
  },
  DRAIN_MS: {
    kind: 'number',
    fallback: '5000',
    max: 600_000,
    description: 'Pages of a viewer that is stopped come to the others within this time, each at its own',
  },
  ALLOWED_ORIGINS: {
    kind: 'text',
    fallback: '',
    description: 'Origins of other sites that may open the WebSocket, with commas',
  },
  EMBED_ORIGINS: {
    kind: 'text',
    fallback: '*',
    description: 'Origins of sites that may show /embed/… inside their pages, with commas; * for all, none for nobody',
  },
  SHUTDOWN_TIMEOUT_SECONDS: shutdownTimeoutSeconds,
  LOG_LEVEL: logLevel,
} as const satisfies Variables

/** A list with commas; empty parts are nothing. */
export const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** `EMBED_ORIGINS` as sources of a content security policy. */
export function embedSources(text: string): readonly string[] {
  const origins = listOf(text)
  return origins.length === 0 || text.trim() === 'none' ? ["'none'"] : origins
}
