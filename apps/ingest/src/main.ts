/** Ingest as a process of its own: `npm run ingest`. */
import { runApp } from '@voting/election/app-process'
import { environmentHelp, readEnvironment } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { kafkaBroker } from 'stream-core/kafka'
import { ingestVariables } from './config.ts'
import { startIngest } from './service.ts'

const read = () => readEnvironment(ingestVariables)

await runApp({
  name: 'ingest',
  help: `Takes ballots. Options: --check, --json, --help.\n\n${environmentHelp(ingestVariables)}`,
  configure() {
    kafkaBroker({ bootstrapServers: read().KAFKA_BROKERS })
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
      publicUrl: environment.PUBLIC_URL,
      resultsUrl: () => environment.RESULTS_URL,
      ballotPartitions: environment.BALLOT_PARTITIONS,
      failuresPerMinute: environment.FAILURES_PER_MINUTE,
      isProduction: process.env['NODE_ENV'] === 'production',
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
