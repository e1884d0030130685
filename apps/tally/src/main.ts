/** The tally as a process of its own: `npm run tally`. */
import { runApp } from '@voting/election/app-process'
import { environmentHelp, readEnvironment } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { kafkaBroker } from 'stream-core/kafka'
import { tallyVariables } from './config.ts'
import { startTally } from './service.ts'

const read = () => readEnvironment(tallyVariables)

await runApp({
  name: 'tally',
  help: `Counts ballots. Options: --check, --json, --help.\n\n${environmentHelp(tallyVariables)}`,
  configure() {
    kafkaBroker({ bootstrapServers: read().KAFKA_BROKERS })
  },
  async start() {
    const environment = read()
    const logger = openLogger('tally', environment.LOG_LEVEL)
    const broker = kafkaBroker({
      bootstrapServers: environment.KAFKA_BROKERS,
      clientId: environment.APPLICATION_ID,
      logger,
    })
    const tally = await startTally({
      broker,
      databaseUrl: environment.DATABASE_URL,
      applicationId: environment.APPLICATION_ID,
      stateDir: environment.STATE_DIR,
      opsHost: environment.OPS_HOST,
      opsPort: environment.OPS_PORT,
      opsEndpoint: environment.OPS_ENDPOINT,
      showsValues: environment.OPS_SHOW_VALUES,
      ballotPartitions: environment.BALLOT_PARTITIONS,
      logger,
    })
    return {
      ...tally,
      async close() {
        await tally.close()
        await broker.close()
      },
    }
  },
})
