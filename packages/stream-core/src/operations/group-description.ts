import type { Streams } from '../runtime/streams.ts'
import type { TimelineEvent } from '../runtime/timeline.ts'
import type { StoreSpec } from '../state/store-spec.ts'
import { queryKinds } from '../queries/open-read-only.ts'
import type { KeyExplanation } from './explain-key.ts'
import { type Finding, findingsOf } from './findings.ts'
import type { InstanceView } from './group-watch.ts'
import type { Counts, InstanceReport } from './instance-report.ts'
import type { DeadLetters } from './newest-dead-letters.ts'
import type { History, StageReport } from './sampler.ts'
import { newestPlacements, taskViews, type TaskView } from './task-views.ts'
import { subtopologyViews, type SubtopologyView } from './topology-view.ts'

/** The whole application, as one of its instances sees it: plain data, which pages and programs are made of. */
export interface GroupDescription {
  readonly applicationId: string
  readonly topologyHash: string
  readonly atMs: number
  /** Name of the instance that was asked. */
  readonly askedOf: string
  /** Newest generation of the group that anybody carries out; −1: none. */
  readonly generationId: number
  /** What somebody ought to know first; the worst first, and never none. */
  readonly findings: readonly Finding[]
  readonly instances: readonly InstanceSummary[]
  readonly subtopologies: readonly SubtopologyView[]
  /** By sub-topology and partition. */
  readonly tasks: readonly TaskView[]
  /** Newest first. */
  readonly timeline: readonly (TimelineEvent & { readonly instance: string })[]
  /** Of the last minute. */
  readonly stages: readonly (StageReport & { readonly instance: string })[]
  readonly deadLetters: DeadLetters & {
    /** What instances have sent since they run their tasks. */
    readonly sent: readonly { readonly topic: string; readonly class: string; readonly count: number }[]
  }
  /** Stores that can be asked for a key. */
  readonly keyStores: readonly { readonly name: string; readonly keys: string }[]
  /** Of a key that was asked for. */
  readonly explained: KeyExplanation | null
}

export interface InstanceSummary {
  /** Short, and the same in all of the description. */
  readonly name: string
  readonly processId: string | null
  readonly endpoint: string | null
  readonly isLocal: boolean
  readonly status: InstanceView['status']
  readonly reason: string | null
  readonly silentSinceMs: number | null
  readonly heardMs: number | null
  /** null: it has never answered. What follows is what it said last. */
  readonly state: string | null
  readonly error: string | null
  readonly isPaused: boolean
  readonly topologyHash: string | null
  /** What its clock said when it answered last. */
  readonly clockMs: number | null
  readonly generationId: number
  readonly running: number
  readonly restoring: number
  readonly standby: number
  readonly perSecond: number | null
  readonly lag: number | null
  readonly lagMs: number | null
  readonly load: InstanceReport['load']
  readonly history: History
  readonly counts: Counts | null
  readonly facts: InstanceReport['facts']
}

export interface GroupParts {
  readonly streams: Streams
  readonly instances: readonly InstanceView[]
  readonly deadLetters: DeadLetters
  readonly explained: KeyExplanation | null
  readonly delayMs: number
}

const timelineMax = 60

/** `nameOf`: what an instance is called. */
export const nameOf = (processId: string | null): string => processId?.slice(0, 8) ?? 'this one'

export function groupDescription(parts: GroupParts): GroupDescription {
  const { streams, instances: views, deadLetters, explained, delayMs } = parts
  const { topology, nowMs, applicationId } = streams.metricsSource
  const own = views.find(({ isLocal }) => isLocal)!
  const answering = views.flatMap(({ status, report }) => (status === 'answers' && report !== null ? [report] : []))
  const { generationId, members } = newestPlacements(answering)
  const tasks = taskViews(views, members)
  const instances = views.map(summaryOf)
  const subtopologies = subtopologyViews(topology, applicationId, answering, tasks)
  const about = { applicationId, atMs: nowMs, generationId, instances, tasks, subtopologies }
  const sent = sums(answering.flatMap((report) => report.deadLetters))
  const letters = { ...deadLetters, sent }
  const timeline = views
    .flatMap(({ processId, report }) =>
      (report?.events ?? []).map((event) => ({ ...event, instance: nameOf(processId) })),
    )
    .sort((a, b) => b.atMs - a.atMs)
  return {
    ...about,
    topologyHash: own.report!.topologyHash,
    askedOf: nameOf(own.processId),
    findings: findingsOf({ ...about, timeline, deadLetters: letters, reports: answering, delayMs }),
    timeline: timeline.slice(0, timelineMax),
    stages: views.flatMap(({ processId, status, report }) =>
      status === 'answers' ? report!.stages.map((stage) => ({ ...stage, instance: nameOf(processId) })) : [],
    ),
    deadLetters: letters,
    keyStores: [...topology.stores, ...topology.globalStores].filter(isAskable).map(({ name, key }) => {
      return { name, keys: key.name }
    }),
    explained,
  }
}

const isAskable = (spec: StoreSpec): boolean => queryKinds(spec).length > 0

const noHistory: History = { everyMs: 0, perSecond: [], lag: [] }

function summaryOf(view: InstanceView): InstanceSummary {
  const { processId, endpoint, isLocal, status, reason, silentSinceMs, heardMs, report } = view
  const tasks = report?.tasks ?? []
  const running = tasks.filter(({ phase }) => phase === 'running')
  const known = (values: readonly (number | null)[], how: (a: number, b: number) => number): number | null =>
    values.reduce<number | null>((all, value) => (value === null ? all : all === null ? value : how(all, value)), null)
  const sum = (a: number, b: number): number => a + b
  return {
    name: nameOf(processId),
    processId,
    endpoint,
    isLocal,
    status,
    reason,
    silentSinceMs,
    heardMs,
    state: report?.state ?? null,
    error: report?.error ?? null,
    isPaused: report?.isPaused ?? false,
    topologyHash: report?.topologyHash ?? null,
    clockMs: report?.atMs ?? null,
    generationId: report?.generationId ?? -1,
    running: running.length,
    restoring: tasks.filter(({ phase }) => phase === 'restoring').length,
    standby: tasks.filter(({ phase }) => phase === 'standby').length,
    perSecond: known(
      running.map(({ perSecond }) => perSecond),
      sum,
    ),
    lag: known(
      running.map(({ lag }) => lag),
      sum,
    ),
    lagMs: known(
      running.map(({ lagMs }) => lagMs),
      Math.max,
    ),
    load: report?.load ?? null,
    history: report?.history ?? noHistory,
    counts: report?.counts ?? null,
    facts: report?.facts ?? [],
  }
}

function sums(letters: InstanceReport['deadLetters']): InstanceReport['deadLetters'] {
  const counts = new Map<string, InstanceReport['deadLetters'][number]>()
  for (const letter of letters) {
    const key = `${letter.topic}/${letter.class}`
    counts.set(key, { ...letter, count: letter.count + (counts.get(key)?.count ?? 0) })
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)
}
