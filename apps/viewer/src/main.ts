/** The viewer as a process of its own: `npm run viewer`. */
import { runApp } from '@voting/election/app-process'
import { environmentHelp, readEnvironment } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { embedSources, listOf, viewerVariables } from './config.ts'
import { startViewer } from './service.ts'

const read = () => readEnvironment(viewerVariables)

await runApp({
  name: 'viewer',
  help: `Shows results. Options: --check, --json, --help.\n\n${environmentHelp(viewerVariables)}`,
  configure: read,
  start() {
    const environment = read()
    return startViewer({
      databaseUrl: environment.DATABASE_URL,
      host: environment.HOST,
      port: environment.PORT,
      opsHost: environment.OPS_HOST,
      opsPort: environment.OPS_PORT,
      ballotUrl: environment.BALLOT_URL,
      tickMs: environment.TICK_MS,
      connectionsMax: environment.CONNECTIONS_MAX,
      connectionsPerAddressMax: environment.CONNECTIONS_PER_ADDRESS_MAX,
      proxyHops: environment.PROXY_HOPS,
      drainMs: environment.DRAIN_MS,
      allowedOrigins: listOf(environment.ALLOWED_ORIGINS),
      embedOrigins: embedSources(environment.EMBED_ORIGINS),
      logger: openLogger('viewer', environment.LOG_LEVEL),
    })
  },
})
