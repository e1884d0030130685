/** Counts again from the log and says whether the published result is equal: `npm run recount`. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { explain, say } from '@voting/election/app-process'
import { logLevel, readEnvironment } from '@voting/election/environment'
import { openLogger } from '@voting/election/logger'
import { tallyApplicationId } from '@voting/election/topics'
import type { Broker } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { kafkaBroker } from 'stream-core/kafka'
import { recount, type RecountOptions } from './recount.ts'

const help = `npm run recount -- --data-dir <folder>     recounts the embedded log of npm start, which must not run meanwhile
KAFKA_BROKERS=… npm run recount            recounts on Kafka, beside a running tally (APPLICATION_ID, default tally)

Both have counted the same ballots when they are compared: a poll that is being voted in differs only if something is wrong.
Ends with "recount: equal" (exit code 0) or "recount: differs …" (exit code 1).`

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string' }, help: { type: 'boolean' } } })
  if (values.help) {
    process.stdout.write(`${help}\n`)
    return 0
  }
  const {
    LOG_LEVEL: level,
    KAFKA_BROKERS: brokers,
    APPLICATION_ID: applicationId,
  } = readEnvironment({
    APPLICATION_ID: { kind: 'name', fallback: tallyApplicationId, description: 'Name of the live tally in Kafka' },
    KAFKA_BROKERS: { kind: 'text', optional: true, description: 'Kafka brokers, as host:port, several with commas' },
    LOG_LEVEL: { ...logLevel, fallback: 'warn' },
  })
  const logger = openLogger('recount', level)
  let broker: Broker
  let live: RecountOptions['live'] = { applicationId, stateDir: null }
  if (brokers) {
    broker = kafkaBroker({ bootstrapServers: brokers, clientId: 'recount', logger })
  } else {
    if (values['data-dir']?.trim() === '') {
      say('error: --data-dir is empty, expected the path of a folder')
      return 2
    }
    const dataDir = resolve(values['data-dir'] ?? join(import.meta.dirname, '..', '..', '..', 'data'))
    const path = join(dataDir, 'log', 'log.db')
    if (!existsSync(path)) {
      say(
        `error: there is no log in ${dataDir}: name the folder of npm start with --data-dir, or a cluster with KAFKA_BROKERS`,
      )
      return 2
    }
    broker = await openEmbeddedLog({ path })
    live = { applicationId: tallyApplicationId, stateDir: join(dataDir, 'state') }
  }
  try {
    const { polls, uncounted } = await recount({ broker, logger, live })
    for (const { poll, published, recounted, isEqual } of polls) {
      const count = (document: typeof published): string =>
        document === null ? 'none' : `${document.voters} counting of ${document.accounting.recorded} recorded`
      say(`${isEqual ? 'equal  ' : 'DIFFERS'} ${poll}: published ${count(published)}, recounted ${count(recounted)}`)
    }
    if (uncounted > 0) {
      process.stdout.write(`recount: differs, ${uncounted} records of the log are not counted: does a tally run?\n`)
      return 1
    }
    const different = polls.filter(({ isEqual }) => !isEqual).map(({ poll }) => poll)
    process.stdout.write(different.length === 0 ? 'recount: equal\n' : `recount: differs in ${different.join(', ')}\n`)
    return different.length === 0 ? 0 : 1
  } finally {
    await broker.close()
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(`error: ${explain(error)}`)
    process.exit(2)
  },
)
