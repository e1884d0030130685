import type { InstanceView } from './group-watch.ts'
import type { InputReport, InstanceReport, Member, RestoreReport, TaskReport } from './instance-report.ts'

/** A task and where it is. */
export interface TaskView {
  readonly taskId: string
  readonly subtopology: number
  readonly partition: number
  /** `processId` of the instance that is to run it; null: nobody. */
  readonly owner: string | null
  /**
   * `moving`: its owner has not taken it yet. `unknown`: its owner does not answer. `nobody`: the group has given it to none.
   */
  readonly phase: 'running' | 'restoring' | 'moving' | 'unknown' | 'nobody'
  readonly lag: number | null
  readonly lagMs: number | null
  readonly perSecond: number | null
  readonly late: number
  readonly streamTimeMs: number | null
  readonly restore: RestoreReport | null
  readonly inputs: readonly InputReport[]
  /** Copies of its state on other instances. `lag` null: not known. */
  readonly copies: readonly { readonly processId: string; readonly lag: number | null }[]
}

/** Who has what, by whoever carries out the newest generation. */
export function newestPlacements(reports: readonly InstanceReport[]): {
  readonly generationId: number
  readonly members: readonly Member[]
} {
  let newest: InstanceReport | null = null
  for (const report of reports) if (newest === null || report.generationId > newest.generationId) newest = report
  return { generationId: newest?.generationId ?? -1, members: newest?.members ?? [] }
}

/** Every task there should be, whether somebody has it or not. */
export function taskViews(views: readonly InstanceView[], members: readonly Member[]): readonly TaskView[] {
  const answering = views.filter(({ status, report }) => status === 'answers' && report !== null)
  const here = new Map<string, Map<string, TaskReport>>()
  for (const { processId, report } of answering) {
    here.set(processId ?? '', new Map(report!.tasks.map((task) => [task.taskId, task])))
  }
  const owners = new Map<string, string>()
  const keepers = new Map<string, string[]>()
  for (const { processId, active, standby } of members) {
    for (const id of active) owners.set(id, processId)
    for (const id of standby) keepers.set(id, [...(keepers.get(id) ?? []), processId])
  }
  const isSilent = new Set(views.filter(({ status }) => status !== 'answers').map(({ processId }) => processId))
  return taskIds(views, members).map((taskId): TaskView => {
    const [subtopology, partition] = numbersOf(taskId)
    const running = [...here].find(([, tasks]) => tasks.get(taskId)?.phase === 'running')?.[0]
    const owner = owners.get(taskId) ?? running ?? null
    const report = here.get(running ?? owner ?? '')?.get(taskId)
    const active = report === undefined || report.phase === 'standby' ? null : report
    const phase = (): TaskView['phase'] => {
      if (active !== null) return active.phase as 'running' | 'restoring'
      if (owner === null) return 'nobody'
      return isSilent.has(owner) || !here.has(owner) ? 'unknown' : 'moving'
    }
    return {
      taskId,
      subtopology,
      partition,
      owner: active !== null && running !== undefined ? running || null : owner,
      phase: phase(),
      lag: active?.lag ?? null,
      lagMs: active?.lagMs ?? null,
      perSecond: active?.perSecond ?? null,
      late: active?.late ?? 0,
      streamTimeMs: active?.streamTimeMs ?? null,
      restore: active?.restore ?? null,
      inputs: active?.inputs ?? [],
      copies: (keepers.get(taskId) ?? []).map((processId) => {
        const copy = here.get(processId)?.get(taskId)
        return { processId, lag: copy?.phase === 'standby' ? copy.lag : null }
      }),
    }
  })
}

function taskIds(views: readonly InstanceView[], members: readonly Member[]): readonly string[] {
  const ids = new Set<string>()
  const widths = views.find(({ report }) => (report?.widths.length ?? 0) > 0)?.report?.widths ?? []
  for (const { subtopology, partitions } of widths) {
    for (let partition = 0; partition < partitions; partition++) ids.add(`${subtopology}_${partition}`)
  }
  for (const { active, standby } of members) for (const id of [...active, ...standby]) ids.add(id)
  for (const { status, report } of views) {
    if (status === 'answers') for (const { taskId } of report?.tasks ?? []) ids.add(taskId)
  }
  return [...ids].sort((a, b) => {
    const [[aGroup, aPartition], [bGroup, bPartition]] = [numbersOf(a), numbersOf(b)]
    return aGroup - bGroup || aPartition - bPartition
  })
}

function numbersOf(taskId: string): [subtopology: number, partition: number] {
  const [subtopology = 0, partition = 0] = taskId.split('_').map(Number)
  return [subtopology, partition]
}
