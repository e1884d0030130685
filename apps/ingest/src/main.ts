/** Ingest as a process of its own: `npm run ingest`. */
import { runApp } from '@voting/election/app-process'
import { environmentHelp, readEnvironment } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { kafkaBroker } from 'stream-core/kafka'
import { ingestVariables } from './config.ts'
import { startIngest } from './service.ts'
import { checkOrganisersCanEnter, mailOptions, oidcOptions } from './sign-in/configuration.ts'

const read = () => readEnvironment(ingestVariables)
const isProduction = process.env['NODE_ENV'] === 'production'

await runApp({
  name: 'ingest',
  help: `Takes ballots. Options: --check, --json, --help.\n\n${environmentHelp(ingestVariables)}`,
  configure() {
    const environment = read()
    kafkaBroker({ bootstrapServers: environment.KAFKA_BROKERS })
    const hasOidc = oidcOptions(environment, isProduction) !== null
    checkOrganisersCanEnter({ organiserToken: environment.ORGANISER_TOKEN, hasOidc }, isProduction)
    mailOptions(environment)
  },
  async start() {
    const environment = read()
    const logger = openLogger('ingest', environment.LOG_LEVEL)
    const broker = kafkaBroker({ bootstrapServers: environment.KAFKA_BROKERS, clientId: 'ingest', logger })
    const ingest = await startIngest({
      broker,
      databaseUrl: environment.DATABASE_URL,
      host: environment.HOST,
      port: environment.PORT,
      opsHost: environment.OPS_HOST,
      opsPort: environment.OPS_PORT,
      organiserToken: environment.ORGANISER_TOKEN,
      oidc: oidcOptions(environment, isProduction),
      mail: mailOptions(environment),
      publicUrl: environment.PUBLIC_URL,
      proxyHops: environment.PROXY_HOPS,
      resultsUrl: () => environment.RESULTS_URL,
      ballotPartitions: environment.BALLOT_PARTITIONS,
      failuresPerMinute: environment.FAILURES_PER_MINUTE,
      ballotWaitMs: environment.BALLOT_WAIT_MS,
      ballotsUnderWayMax: environment.BALLOTS_UNDER_WAY_MAX,
      isProduction,
      logger,
    })
    return {
      ...ingest,
      async close() {
        await ingest.close()
        await broker.close()
      },
    }
  },
})
