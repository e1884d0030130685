import { decodeTasks, encodeTasks } from './task-ranges.ts'

/** What an instance tells the one that assigns. */
export interface InstanceReport {
  /** Stays with the state folder over restarts. */
  readonly processId: string
  /** `host:port` where the instance answers queries, or null. */
  readonly endpoint: string | null
  /** What it goes down with; null: with nobody. */
  readonly host: string | null
  /** Hash of the topology: instances of different topologies must not share tasks. */
  readonly topologyHash: string
  readonly active: readonly string[]
  readonly standby: readonly string[]
  /** By task: sum of the changelog offsets its local state stands for. */
  readonly offsets: ReadonlyMap<string, number>
  /** Why the whole application is to end, or null. */
  readonly shutdown: string | null
}

/** Where the tasks are: every instance knows, so that each can say who has a key. */
export interface Placement {
  readonly processId: string
  readonly endpoint: string | null
  readonly active: readonly string[]
  readonly standby: readonly string[]
}

export interface InstanceAssignment {
  readonly active: readonly string[]
  readonly standby: readonly string[]
  /** Some of the standbys are to take over once they have caught up. */
  readonly warmups: readonly string[]
  /**
   * What it runs and has to let go of; then it joins again. It is told so because it may have been killed before it did: when
   * it is back, with this same assignment, somebody still waits for the tasks.
   */
  readonly leaving: readonly string[]
  readonly placements: readonly Placement[]
  /** Why the whole application is to end, or null. */
  readonly shutdown: string | null
}

const version = 1

export const encodeReport = (report: InstanceReport): Buffer =>
  toBytes({
    v: version,
    process: report.processId,
    endpoint: report.endpoint,
    ...(report.host !== null && { host: report.host }),
    topology: report.topologyHash,
    active: encodeTasks(report.active),
    standby: encodeTasks(report.standby),
    offsets: Object.fromEntries(report.offsets),
    ...(report.shutdown !== null && { shutdown: report.shutdown }),
  })

/** null: whoever sent it is no instance of this library, or of a later version of it. */
export function decodeReport(bytes: Buffer): InstanceReport | null {
  const data = fromBytes(bytes)
  if (data === null) return null
  return {
    processId: String(data['process']),
    endpoint: (data['endpoint'] as string | null) ?? null,
    host: (data['host'] as string | undefined) ?? null,
    topologyHash: String(data['topology']),
    active: decodeTasks(String(data['active'])),
    standby: decodeTasks(String(data['standby'])),
    offsets: new Map(Object.entries(data['offsets'] as { [task: string]: number })),
    shutdown: (data['shutdown'] as string | undefined) ?? null,
  }
}

export const encodeAssignment = (assignment: InstanceAssignment): Buffer =>
  toBytes({
    v: version,
    active: encodeTasks(assignment.active),
    standby: encodeTasks(assignment.standby),
    warmups: encodeTasks(assignment.warmups),
    leaving: encodeTasks(assignment.leaving),
    ...(assignment.shutdown !== null && { shutdown: assignment.shutdown }),
    placements: assignment.placements.map(({ processId, endpoint, active, standby }) => [
      processId,
      endpoint,
      encodeTasks(active),
      encodeTasks(standby),
    ]),
  })

export function decodeAssignment(bytes: Buffer): InstanceAssignment | null {
  const data = fromBytes(bytes)
  if (data === null) return null
  const placements = data['placements'] as [string, string | null, string, string][]
  return {
    active: decodeTasks(String(data['active'])),
    standby: decodeTasks(String(data['standby'])),
    warmups: decodeTasks(String(data['warmups'])),
    leaving: decodeTasks(String(data['leaving'])),
    shutdown: (data['shutdown'] as string | undefined) ?? null,
    placements: placements.map(([processId, endpoint, active, standby]) => ({
      processId,
      endpoint,
      active: decodeTasks(active),
      standby: decodeTasks(standby),
    })),
  }
}

const toBytes = (data: object): Buffer => Buffer.from(JSON.stringify(data))

function fromBytes(bytes: Buffer): { readonly [name: string]: unknown } | null {
  try {
    const data = JSON.parse(bytes.toString()) as { readonly [name: string]: unknown }
    return data['v'] === version ? data : null
  } catch {
    return null
  }
}
