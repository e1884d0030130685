/** Makes a backup of a whole election: `npm run backup`. */
import { resolve } from 'node:path'
import { say } from '@voting/election/app-process'
import { readEnvironment } from '@voting/election/environment'
import { backup } from './backup.ts'
import { filesOf } from './manifest.ts'
import { openSystem, systemVariables } from './open-system.ts'
import { readOptions, runCommand, UsageError } from './command.ts'

const help = `npm run backup -- --data-dir <folder> --out <folder>          of npm start, which must not run meanwhile
KAFKA_BROKERS=… DATABASE_URL=… npm run backup -- --out <folder>    of a system on Kafka, which may run, and be voted in

Makes the folder <out>, with the log and the database of the whole election. Whoever has it has what the database has:
no names and no codes, but the keys of the polls. Ends with a line that says what is in it (exit code 0).`

await runCommand(help, async () => {
  const { dataDir, out } = readOptions(['out'])
  if (!out) throw new UsageError('--out is missing: the folder to make')
  const system = await openSystem(dataDir, readEnvironment(systemVariables), { isNew: false, name: 'backup' })
  try {
    const { broker, pool, source, applicationId, stateDir } = system
    // An embedded log that we hold is counted by nobody: there is nothing to wait for.
    const patienceMs = stateDir === null ? 30_000 : 0
    const manifest = await backup({ broker, pool, source, applicationId, out: resolve(out), patienceMs })
    const { log, results } = manifest
    const records = log.flatMap(({ partitions }) => partitions).reduce((sum, { rows }) => sum + rows, 0)
    const rows = filesOf(manifest).reduce((sum, entry) => sum + entry.rows, 0) - records
    if (results.uncounted > 0) say('not all of the log is in the published results: the tally has not counted it yet')
    process.stdout.write(
      `backup: ${records} records and ${rows} rows of ${results.documents.length} counted polls are in ${resolve(out)}\n`,
    )
    return 0
  } finally {
    await system.close()
  }
})
