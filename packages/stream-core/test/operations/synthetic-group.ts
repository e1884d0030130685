import type { Streams } from '../../src/index.ts'
import { type GroupDescription, groupDescription } from '../../src/operations/group-description.ts'
import type { InstanceReport, TaskReport } from '../../src/operations/instance-report.ts'

/** Makes what somebody else has written of a text: to see what becomes of it. */
export type Written = (text: string) => string

export const nowMs = 1_800_000_000_000

/** A group of instances that share so many tasks, with one of everything that can be said of a group. */
export function syntheticGroup(
  streams: Streams,
  taskCount: number,
  instanceCount: number,
  written: Written = (text) => text,
): GroupDescription {
  const ids = Array.from({ length: instanceCount }, (_, i) => `${i}aaaaaaa-process`)
  const tasks = Array.from({ length: taskCount }, (_, partition) => partition)
  const mine = (i: number, shift = 0) => tasks.filter((partition) => (partition + shift) % instanceCount === i)
  const members = ids.map((processId, i) => ({
    processId,
    endpoint: `host-${i}:9101`,
    active: mine(i).map((partition) => `0_${partition}`),
    standby: mine(i, 1).map((partition) => `0_${partition}`),
  }))
  const reports = ids.map((processId, i): InstanceReport => {
    const running = mine(i).map((partition) => taskReport(partition, partition % 97 === 4, written))
    const copies = (instanceCount === 1 ? [] : mine(i, 1)).map((partition) => ({
      ...taskReport(partition, false, written),
      phase: 'standby' as const,
      lag: 1234,
      lagMs: null,
      perSecond: null,
    }))
    return {
      v: 1,
      processId,
      applicationId: 'app',
      topologyHash: written('hash'),
      state: i === 1 ? written('failed') : 'running',
      isPaused: i === 0,
      error: i === 1 ? written('it has failed') : null,
      atMs: nowMs + i * 60_000,
      generationId: 7,
      members,
      widths: [{ subtopology: 0, partitions: taskCount }],
      tasks: [...running, ...copies],
      nodes: [{ node: 'words', taken: 5, perSecond: 3.25, dropped: [{ reason: written('late'), count: 41 }] }],
      stages: [
        { stage: 'commit', of: written('main'), count: 17, meanMs: 3.1, p50Ms: 2.2, p99Ms: 44, isOver: false },
        { stage: 'process a record', of: '', count: 17, meanMs: 0.01, p50Ms: 0.02, p99Ms: 1000, isOver: true },
      ],
      load: { poll: 0.5, process: 0.31, punctuate: 0, commit: 0.1 },
      history: { everyMs: 5000, perSecond: [1, 5, 2], lag: [9, 8, 7] },
      counts: { commits: 4321, commitFailures: 0, recoveries: 3, transactionAborts: 1, fenced: 0, failures: 1 },
      deadLetters: [{ topic: written('words'), class: written('SerdeError'), count: 6 }],
      events: [
        { atMs: nowMs - 5000, kind: 'rebalance', text: written('generation 7'), durationMs: 812 },
        { atMs: nowMs - 4000, kind: 'recovery', text: written('a transaction was lost'), durationMs: null },
      ],
      facts: [{ name: written('Sink'), value: written('writes') }],
    }
  })
  const views = reports.map((report, i) => ({
    processId: report.processId,
    endpoint: members[i]!.endpoint,
    isLocal: i === 0,
    status: i === instanceCount - 1 && i > 1 ? ('silent' as const) : ('answers' as const),
    reason: i === instanceCount - 1 && i > 1 ? written('it hangs') : null,
    silentSinceMs: i === instanceCount - 1 && i > 1 ? nowMs - 9000 : null,
    heardMs: nowMs - 9000,
    report,
  }))
  return groupDescription({
    streams,
    instances: views,
    delayMs: 30_000,
    deadLetters: {
      topic: written('letters'),
      total: 12,
      problem: written('partition 3 was not read'),
      newest: [
        {
          partition: 1,
          offset: 77,
          timestampMs: nowMs,
          exception: written('ProcessingError'),
          from: written('words-1@44'),
          message: written('no such word'),
          key: written('k'),
          value: written('v'),
        },
      ],
    },
    explained: {
      store: 'counts',
      key: written('word/1'),
      partition: 1,
      taskId: '0_1',
      owner: ids[0]!,
      copies: ids.slice(1),
      problem: written('something'),
      found: {
        phase: 'running',
        inputs: [{ topic: written('words'), partition: 1, position: 5150, lag: 61 }],
        stores: [
          {
            store: written('counts'),
            changelog: { topic: written('app-counts-changelog'), partition: 1, position: 808 },
            entries: [{ window: { start: 1000, end: 2000 }, timestampMs: 1500, value: written('{"a":1}') }],
            hasMore: true,
            note: null,
          },
          { store: 'other', changelog: null, entries: [], hasMore: false, note: written('of another kind') },
        ],
      },
    },
  })
}

function taskReport(partition: number, isRestoring: boolean, written: Written): TaskReport {
  return {
    taskId: `0_${partition}`,
    phase: isRestoring ? 'restoring' : 'running',
    lag: 5000 + partition,
    lagMs: isRestoring ? null : 45_000,
    processed: 10,
    perSecond: isRestoring ? null : 7,
    streamTimeMs: nowMs - partition,
    late: partition % 100 === 3 ? 2 : 0,
    inputs: [{ topic: 'words', partition, position: 9, lag: 5000 + partition, lagMs: 45_000, perSecond: 7 }],
    stores: [{ name: 'counts', memoryEntries: 3 }],
    restore: isRestoring
      ? {
          done: 600,
          left: 400,
          etaMs: 41_000,
          changelogs: [{ topic: written('changelog'), from: 10, position: 610, end: 1010 }],
        }
      : null,
  }
}
