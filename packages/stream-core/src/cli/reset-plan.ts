import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Broker, OffsetSpec } from '../broker/broker.ts'
import type { TopicPartition } from '../common/record.ts'
import { processOf } from '../runtime/producers.ts'
import { StateDirectory } from '../runtime/state-directory.ts'
import { type Application, findApplication } from './application.ts'
import { RefusedError, UsageError } from './command.ts'
import { printable } from '../common/printable.ts'

export interface ResetOptions {
  readonly applicationId: string
  /** null: all that the application has positions in. */
  readonly inputTopics: readonly string[] | null
  /** null: all that have the name of one. */
  readonly internalTopics: readonly string[] | null
  /** null: state on disk is not touched. */
  readonly stateDir: string | null
  readonly to: OffsetSpec
}

/** All that a reset changes. */
export interface ResetPlan {
  readonly applicationId: string
  readonly moved: readonly (TopicPartition & { readonly from: number; readonly to: number })[]
  /** Positions in topics that are deleted, or gone: they would be taken for positions in new ones of the same name. */
  readonly forgotten: readonly TopicPartition[]
  readonly deletedTopics: readonly string[]
  readonly othersTopics: Application['othersTopics']
  readonly state: { readonly stateDir: string; readonly folder: string; readonly taskIds: readonly string[] } | null
}

/** Looks, and changes nothing. Throws a RefusedError while the application has instances. */
export async function planReset(broker: Broker, options: ResetOptions): Promise<ResetPlan> {
  const { applicationId } = options
  const application = await findApplication(broker, applicationId)
  await refuseMembers(broker, applicationId)
  const deletedTopics = choose(application, options.internalTopics)
  const { offsets, internalTopics } = application
  const known = await broker.admin.describeTopics([
    ...new Set([...offsets.map(({ topic }) => topic), ...(options.inputTopics ?? [])]),
  ])
  const isInternal = new Set(internalTopics)
  for (const topic of options.inputTopics ?? []) {
    if (isInternal.has(topic)) throw new UsageError(`--input-topics ${topic}: that is an internal topic; it is deleted`)
    if (!known.has(topic)) throw new UsageError(`--input-topics ${topic}: there is no such topic`)
  }
  const inputs = [...(options.inputTopics ?? new Set(offsets.map(({ topic }) => topic)))]
    .filter((topic) => known.has(topic) && !isInternal.has(topic))
    .sort()
  const partitions = inputs.flatMap((topic) =>
    Array.from({ length: known.get(topic)!.partitionCount }, (_, partition) => ({ topic, partition })),
  )
  const targets = await broker.admin.listOffsets(partitions, options.to)
  const positions = new Map(offsets.map(({ topic, partition, offset }) => [`${topic}:${partition}`, offset]))
  const isDeleted = new Set(deletedTopics)
  return {
    applicationId,
    moved: partitions.map(({ topic, partition }, i) => {
      return { topic, partition, from: positions.get(`${topic}:${partition}`) ?? -1, to: targets[i]! }
    }),
    forgotten: offsets
      .filter(({ topic }) => isDeleted.has(topic) || !known.has(topic))
      .map(({ topic, partition }) => ({ topic, partition })),
    deletedTopics,
    othersTopics: application.othersTopics,
    state: stateOf(options),
  }
}

/**
 * Does it:
 *
 *   1. Take the lock of the state folder: an instance that runs has it.
 *   2. End what instances that died have left open: it could move positions afterwards.
 *   3. Move the positions. The log refuses that if an instance has come meanwhile: nothing is deleted before.
 *   4. Forget positions in internal topics, and delete these.
 *   5. Delete local state.
 */
export async function carryOut(broker: Broker, plan: ResetPlan): Promise<void> {
  const { applicationId, state } = plan
  // 1.
  const directory =
    state === null || !existsSync(state.folder) ? null : new StateDirectory(state.stateDir, applicationId)
  try {
    // 2.
    await broker.admin.abortTransactions((id) => processOf(applicationId, id) !== null)
    // 3.
    await refuseMembers(broker, applicationId)
    const producer = await broker.openProducer()
    try {
      const moved = plan.moved.map(({ topic, partition, to }) => ({ topic, partition, offset: to, metadata: '' }))
      if (moved.length > 0) await producer.commitOffsets(applicationId, moved)
    } finally {
      await producer.close()
    }
    // 4.
    await broker.admin.deleteGroupOffsets(applicationId, plan.forgotten)
    await broker.admin.deleteTopics(plan.deletedTopics)
    // 5.
    if (directory === null || state === null) return
    for (const id of state.taskIds) rmSync(join(state.folder, id), { recursive: true, force: true })
    // What the stores were: after a reset they may be something else.
    rmSync(join(state.folder, 'topology.json'), { force: true })
  } finally {
    directory?.close()
  }
}

async function refuseMembers({ admin }: Broker, applicationId: string): Promise<void> {
  const members = await admin.groupMembers(applicationId)
  if (members.length === 0) return
  const named = members.map(({ memberId, instanceId, host }) => `${instanceId ?? memberId}${host && ` at ${host}`}`)
  throw new RefusedError(
    `the application "${applicationId}" has instances: ${printable(named.join(', '))}. Stop them first; one that was killed ` +
      'is taken for dead after its sessionTimeoutMs',
  )
}

function choose({ internalTopics }: Application, wanted: readonly string[] | null): readonly string[] {
  if (wanted === null) return internalTopics
  const wrong = wanted.find((topic) => !internalTopics.includes(topic))
  if (wrong === undefined) return wanted
  const list = internalTopics.length === 0 ? 'it has none' : `they are ${internalTopics.join(', ')}`
  throw new UsageError(`--internal-topics ${wrong}: that is no internal topic of the application; ${list}`)
}

function stateOf({ stateDir, applicationId }: ResetOptions): ResetPlan['state'] {
  if (stateDir === null) return null
  if (!existsSync(stateDir)) throw new UsageError(`--state-dir ${JSON.stringify(stateDir)}: there is no such folder`)
  const folder = join(stateDir, applicationId)
  const names = existsSync(folder) ? readdirSync(folder) : []
  return { stateDir, folder, taskIds: names.filter((name) => /^\d+_\d+$/.test(name)).sort() }
}
