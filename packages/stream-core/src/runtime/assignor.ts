import type { Broker } from '../broker/broker.ts'
import type { Assignment, GroupPeer } from '../broker/group.ts'
import { assignTasks, compareTasks, type PlacementOptions, type TaskToPlace } from '../assignment/assign-tasks.ts'
import { handOver } from '../assignment/cooperative.ts'
import { decodeReport, encodeAssignment, type InstanceReport, type Placement } from '../assignment/user-data.ts'
import { ConfigError } from '../common/errors.ts'
import type { Logger } from '../common/logger.ts'
import type { TopicPartition } from '../common/record.ts'
import type { Topology } from '../topology/topology.ts'
import { changelogTopic, changelogTopics, type TopicFacts } from './internal-topics.ts'
import { processOf } from './producers.ts'

/** Name of the assignment protocol: instances of other libraries cannot join the group. */
export const protocolName = 'stream-core'

export interface AssignorOptions {
  readonly broker: Broker
  readonly applicationId: string
  readonly topology: Topology
  readonly topologyHash: string
  readonly placement: PlacementOptions
  readonly isExactlyOnce: boolean
  readonly logger: Logger
}

interface Peer {
  readonly memberId: string
  readonly generationId: number
  readonly report: InstanceReport
}

/**
 * What the leading instance does at each rebalance:
 *
 *   1. Hear what everybody runs and has copies of. If one of them asks for the end of the application, everybody is told, and
 *      keeps until then what it has.
 *   2. End the transactions of instances that are gone: their readers would wait for a timeout.
 *   3. Ask how long the changelogs are.
 *   4. Place the tasks, and hold back those whose owners have to let go first.
 */
export async function assign(
  peers: readonly GroupPeer[],
  facts: TopicFacts,
  options: AssignorOptions,
): Promise<ReadonlyMap<string, Assignment>> {
  const { applicationId, placement, logger } = options
  // 1.
  const known: Peer[] = peers.map(({ memberId, userData, generationId }) => {
    const report = decodeReport(userData)
    if (report !== null) return { memberId, generationId, report }
    throw new ConfigError(
      'applicationId',
      `the group "${applicationId}" has a member of another version of this library, or of none: stop it, or choose another applicationId`,
    )
  })
  const different = known.filter(({ report }) => report.topologyHash !== options.topologyHash)
  if (different.length > 0) {
    logger.warn(
      { event: 'group.different-topologies', instances: different.map(({ report }) => report.processId) },
      'instances run different topologies under one applicationId: right only while they are being upgraded',
    )
  }
  const shutdown = known.find(({ report }) => report.shutdown !== null)?.report.shutdown ?? null
  if (shutdown !== null) return new Map(known.map((peer) => [peer.memberId, farewell(peer, shutdown, facts)]))
  // 2.
  if (options.isExactlyOnce) await endGone(known, options)
  // 3. and 4.
  const tasks = await tasksToPlace(facts, options)
  const candidates = known.map(({ memberId, report }) => ({ memberId, ...report }))
  const targets = assignTasks(tasks, candidates, placement)
  const given = handOver(
    new Map([...targets].map(([memberId, { active }]) => [memberId, active])),
    known.map(({ memberId, generationId, report }) => ({ memberId, generationId, active: report.active })),
  )
  const placements: Placement[] = known.map(({ memberId, report: { processId, endpoint } }) => ({
    processId,
    endpoint,
    active: given.get(memberId)!,
    standby: targets.get(memberId)!.standby,
  }))
  return new Map(
    known.map(({ memberId, report }) => {
      const active = [...given.get(memberId)!].sort(compareTasks)
      const leaving = report.active.filter((id) => !active.includes(id))
      const { standby, warmups } = targets.get(memberId)!
      return [
        memberId,
        {
          partitions: active.flatMap((id) => inputsOf(id, facts)),
          userData: encodeAssignment({ active, standby, warmups, leaving, placements, shutdown }),
        },
      ]
    }),
  )
}

function farewell({ report: { active, standby } }: Peer, shutdown: string, facts: TopicFacts): Assignment {
  return {
    partitions: active.flatMap((id) => inputsOf(id, facts)),
    userData: encodeAssignment({ active, standby, warmups: [], leaving: [], placements: [], shutdown }),
  }
}

/** The ids of all tasks, by which sub-topology and partition they are. */
export function taskIds(facts: TopicFacts): string[] {
  return [...facts.inputTopics].flatMap(([id, topics]) => {
    const width = Math.max(0, ...topics.map((topic) => facts.partitionCounts.get(topic)!))
    return Array.from({ length: width }, (_, partition) => `${id}_${partition}`)
  })
}

/** The partitions that a task reads. */
export function inputsOf(taskId: string, facts: TopicFacts): TopicPartition[] {
  const [group, partition] = taskId.split('_').map(Number) as [number, number]
  return facts.inputTopics
    .get(group)!
    .filter((topic) => partition < facts.partitionCounts.get(topic)!)
    .map((topic) => ({ topic, partition }))
}

async function tasksToPlace(facts: TopicFacts, options: AssignorOptions): Promise<TaskToPlace[]> {
  const { topology, applicationId, broker } = options
  const topicOf = changelogTopics(topology, applicationId)
  const logged = new Map(
    topology.subtopologies.map(({ id, storeNames }) => [
      id,
      storeNames.flatMap((store) => {
        const spec = topology.stores.find(({ name }) => name === store)
        return spec?.logging === null ? [] : [changelogTopic(applicationId, store)]
      }),
    ]),
  )
  const ids = taskIds(facts)
  const asked: (TopicPartition & { readonly taskId: string })[] = ids.flatMap((taskId) => {
    const [group, partition] = taskId.split('_').map(Number) as [number, number]
    return logged.get(group)!.map((topic) => ({ taskId, topic, partition }))
  })
  const ends = await broker.admin.listOffsets(asked, 'latest')
  const sums = new Map<string, number>()
  for (const [i, { taskId }] of asked.entries()) sums.set(taskId, (sums.get(taskId) ?? 0) + ends[i]!)
  return ids.map((id) => {
    const { storeNames } = topology.subtopologies.find((group) => id.startsWith(`${group.id}_`))!
    const isStateful = storeNames.some((store) => topicOf(store) !== undefined)
    return { id, isStateful, endOffsets: sums.get(id) ?? 0 }
  })
}

async function endGone(peers: readonly Peer[], { broker, applicationId, logger }: AssignorOptions): Promise<void> {
  const here = new Set(peers.map(({ report }) => report.processId))
  try {
    const ended = await broker.admin.abortTransactions((id) => {
      const process = processOf(applicationId, id)
      return process !== null && !here.has(process)
    })
    if (ended.length > 0) {
      logger.info(
        { event: 'group.transactions-ended', ids: ended },
        'transactions of instances that are gone were ended',
      )
    }
  } catch (error) {
    logger.warn(
      { event: 'group.transactions-not-ended', error: String(error) },
      'transactions of instances that are gone stay open until their timeout: may this program list transactions?',
    )
  }
}
