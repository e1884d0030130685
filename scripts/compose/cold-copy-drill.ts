import type { Drill } from './drill.ts'
import { ask } from './electorate.ts'
import { reconcile, type Reconciliation } from './reconcile.ts'
import { until } from './until.ts'

/** What compose/README.md copies. The tally's state is not among it: it is rebuilt. */
const volumes = ['kafka-data', 'postgres-data', 'postgres-secret', 'database-secret', 'organiser-secret']
const ballotsAfter = 50

/**
 * What compose/README.md says about a copy of the volumes of the stopped system, with its commands: stop, copy, lose all,
 * put back, start. Then all is there, and voting goes on.
 */
export async function coldCopyDrill({ system, poll, electorate, env, folder, log }: Drill): Promise<Reconciliation> {
  const tar = (volume: string, parameters: readonly string[]): Promise<void> =>
    system.runAsRoot({ [volume]: '/volume', [folder]: '/copies' }, ['tar', '-C', '/volume', ...parameters])
  await system.compose(['stop'], env)
  for (const volume of volumes) await tar(volume, ['-czf', `/copies/${volume}.tgz`, '.'])
  await system.remove()
  log('the volumes were copied while the system was stopped; they and the system are gone')
  for (const volume of volumes) await tar(volume, ['-xzf', `/copies/${volume}.tgz`])
  await system.up([], [], env)
  const before = electorate.acknowledged
  electorate.open()
  await until('voting goes on', () => Promise.resolve(electorate.acknowledged >= before + ballotsAfter))
  await electorate.close()
  await until(`all ${electorate.acknowledged} are counted`, async () => {
    const { voters } = await ask<{ voters: number }>(`${system.viewer}/api/polls/${poll.id}/results`)
    return voters >= electorate.acknowledged
  })
  return reconcile(system, poll, electorate.ballots)
}
