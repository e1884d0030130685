import type { ComposedSystem } from './composed-system.ts'
import type { Drill } from './drill.ts'
import { ask } from './electorate.ts'
import { reconcile, type Reconciliation, uncountedReceipts } from './reconcile.ts'
import { until } from './until.ts'

/**
 * What compose/README.md says about a backup of the running system, with its commands:
 *
 *   1. It is made while ballots come in.
 *   2. The system goes, with its volumes. Kafka and PostgreSQL come up on new ones, with new secrets.
 *   3. The restore says "equal"; the apps start, and count.
 *   4. What was acknowledged before the backup began is counted, and the polls are those that there were.
 *   5. The voters send their forms again, also those whose ballots came after the backup: then all of it agrees.
 */
export async function backupDrill({ system, poll, electorate, env, folder, log }: Drill): Promise<Reconciliation> {
  const run = (options: readonly string[], ...program: readonly string[]): Promise<string> =>
    system.compose(['run', '--rm', '--no-deps', '-T', '-v', `${folder}:/backups`, ...options, 'ingest', ...program])
  // 1.
  const before = electorate.ballots.filter(({ receipt }) => receipt !== null)
  const backup = await run([], 'apps/backup/src/backup-main.ts', '--out', '/backups/monday')
  log(backup.trim().split('\n').at(-1)!)
  const meanwhile = electorate.acknowledged - before.length
  await electorate.close()
  const polls = await pollsOf(system)
  // 2.
  await system.remove()
  log(
    `${before.length} ballots were acknowledged before it, ${meanwhile} meanwhile; the system and its volumes are gone`,
  )
  await system.up([], ['kafka', 'postgres'], env)
  // 3.
  const state = ['-e', 'TMPDIR=/backups']
  const restored = await run(state, 'apps/backup/src/restore-main.ts', '--from', '/backups/monday')
  log(restored.trim())
  await system.up([], ['ingest', 'tally', 'viewer'], env)
  // 4.
  const votersCounted = async (): Promise<number> =>
    (await ask<{ voters: number }>(`${system.viewer}/api/polls/${poll.id}/results`)).voters
  await until(`all ${before.length} are counted again`, async () => {
    return (await votersCounted()) >= before.length && (await uncountedReceipts(system.ingest, before)).length === 0
  })
  await until(`the polls are again ${polls}`, async () => (await pollsOf(system)) === polls)
  // 5.
  await electorate.sendAgain()
  await until('all are counted', async () => (await votersCounted()) >= electorate.acknowledged)
  const found = await reconcile(system, poll, electorate.ballots)
  return {
    ...found,
    differences: [
      ...found.differences,
      ...(/^restore: equal$/m.test(restored) ? [] : [`the restore says: ${restored}`]),
      ...(meanwhile > 0 ? [] : ['no ballot came in while the backup was made']),
    ],
  }
}

/** What everybody sees of the polls, as a text. */
async function pollsOf({ viewer }: ComposedSystem): Promise<string> {
  const { polls } = await ask<{ polls: Record<'id' | 'title' | 'status', string>[] }>(`${viewer}/api/polls`)
  return polls
    .map(({ id, title, status }) => `${id} "${title}" (${status})`)
    .sort()
    .join(', ')
}
