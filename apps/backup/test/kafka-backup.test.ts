import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPool } from '@voting/election/database'
import { type Broker, silentLogger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { kafkaBroker } from 'stream-core/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase, type TestDatabase } from '../../../packages/election/test/support/database.ts'
import { type LocalKafka, startLocalKafka } from '../../../scripts/local-kafka.ts'
import { backup } from '../src/backup.ts'
import { restore } from '../src/restore.ts'
import { type Ballot, ballotOf, Election, emptyDatabase, eventually } from './support/election.ts'

// A cluster that was given may have topics of others: a restore refuses it.
const isOurs = !process.env['KAFKA_BROKERS']
let kafka: LocalKafka | undefined
let database: TestDatabase
let folder: string
beforeAll(async () => {
  if (!isOurs) return
  kafka = await startLocalKafka()
  database = await openTestDatabase()
  folder = mkdtempSync(join(tmpdir(), 'kafka-backup-'))
  chmodSync(folder, 0o755)
})
afterAll(async () => {
  await database?.drop()
  await kafka?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

test.skipIf(!isOurs)(
  'an election moves by backup and restore from an embedded log to Kafka, and from Kafka, while votes come in, back',
  async () => {
    const embedded = await openEmbeddedLog({ path: join(folder, 'first.db') })
    const first = await Election.start(embedded, database.url, join(folder, 'first-state'))
    const poll = await first.newPoll(300)
    const receipts = new Map<Ballot, string>()
    const vote = async (election: Election, voter: number): Promise<void> => {
      const ballot = ballotOf(poll, voter)
      const { status, receipt } = await election.vote(ballot)
      expect(status).toBe(201)
      receipts.set(ballot, receipt)
    }
    for (let voter = 0; voter < 30; voter++) await vote(first, voter)
    await backup({ ...first.parts, source: 'embedded', applicationId: 'tally', out: join(folder, 'embedded') })
    await first.stop()
    await embedded.close()

    const onKafka = kafkaBroker({ bootstrapServers: kafka!.bootstrapServers })
    const second = await moved('embedded', onKafka, null)
    let next = 30
    let isVoting = true
    const voting = (async () => {
      for (; isVoting && next < 250; next++) await vote(second, next)
    })()
    await eventually('some have voted', async () => next > 60)
    const before = [...receipts]
    const manifest = await backup({
      ...second.parts,
      source: 'kafka',
      applicationId: 'tally',
      out: join(folder, 'kafka'),
    })
    expect(manifest.results.uncounted).toBe(0)
    isVoting = false
    await voting
    await second.stop()
    await onKafka.close()

    const back = await openEmbeddedLog({ path: join(folder, 'third.db') })
    const third = await moved('kafka', back, join(folder, 'third-state'))
    for (const [ballot, receipt] of before) expect(await third.vote(ballot)).toEqual({ status: 200, receipt })
    for (const [ballot] of receipts) expect((await third.vote(ballot)).status).toBeLessThan(300)
    const result = await eventually('all are counted', async () => {
      const found = await third.result(poll)
      return found && found.voters >= receipts.size ? found : null
    })
    const voters = receipts.size
    expect(result.accounting).toEqual({ recorded: voters, accepted: voters, superseded: 0, rejected: 0, duplicates: 0 })
    await third.stop()
    await back.close()

    async function moved(from: string, broker: Broker, stateDir: string | null): Promise<Election> {
      const url = await emptyDatabase(database)
      const pool = openPool({ url, connectionsMax: 2, applicationName: 'test' })
      const target = { broker, pool, logger: silentLogger, applicationId: 'tally', stateDir }
      const { polls } = await restore({ ...target, from: join(folder, from) })
      await pool.end()
      expect(polls).toMatchObject([{ poll: poll.id, isEqual: true }])
      return Election.start(broker, url, stateDir ?? join(folder, `${from}-state`))
    }
  },
)
