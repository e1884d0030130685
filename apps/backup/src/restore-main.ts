/** Restores a backup into an empty system, counts again and compares: `npm run restore`. */
import { resolve } from 'node:path'
import { say } from '@voting/election/app-process'
import { readEnvironment } from '@voting/election/environment'
import { readOptions, runCommand, UsageError } from './command.ts'
import { openSystem, systemVariables } from './open-system.ts'
import { restore } from './restore.ts'

const help = `npm run restore -- --from <backup> --data-dir <folder>          for npm start, into a folder that is new or empty
KAFKA_BROKERS=… DATABASE_URL=… npm run restore -- --from <backup>    into an empty cluster and an empty database

Refuses a backup that is damaged or not whole, and a target that is not empty. Counts the log from its first record and
ends with "restore: equal" (exit code 0), or with "restore: differs …" (exit code 1) if that is not what was published.`

await runCommand(help, async () => {
  const { dataDir, from } = readOptions(['from'])
  if (!from) throw new UsageError('--from is missing: the folder that npm run backup made')
  const system = await openSystem(dataDir, readEnvironment(systemVariables), { isNew: true, name: 'restore' })
  try {
    const { reconciled, polls } = await restore({ ...system, from: resolve(from), say })
    const { claimsReleased, claimsRecorded, controlsUndone } = reconciled
    say(
      `made to agree with the log: ${claimsReleased} claims without a ballot released, ${claimsRecorded} noted as recorded, ${controlsUndone} openings, extensions or closes to be written again`,
    )
    for (const { poll, published, recounted, isEqual } of polls) {
      say(
        `${isEqual ? 'equal  ' : 'DIFFERS'} ${poll}: ${published?.voters ?? 'no'} voters were published, ${recounted?.voters ?? 'none'} are counted`,
      )
    }
    const different = polls.filter(({ isEqual }) => !isEqual).map(({ poll }) => poll)
    process.stdout.write(different.length === 0 ? 'restore: equal\n' : `restore: differs in ${different.join(', ')}\n`)
    return different.length === 0 ? 0 : 1
  } finally {
    await system.close()
  }
})
