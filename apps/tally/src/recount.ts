import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ResultDocument } from '@voting/election/events'
import { topics } from '@voting/election/topics'
import { type Broker, type Logger, Streams, type Topology } from 'stream-core'
import { classifyStores } from './classify.ts'
import { CountingProgress, effectsTopic, partitionsOf } from './counting-progress.ts'
import type { Effect } from './effects.ts'
import { newestResults, type PublishedResults, readPublished } from './published-results.ts'
import { buildTallyTopology, resultsStore } from './topology.ts'

export interface RecountOptions {
  readonly broker: Broker
  readonly logger: Logger
  /** The live tally's application id; with its state if nobody else runs it: then it is first brought up to date. */
  readonly live: { readonly applicationId: string; readonly stateDir: string | null }
  /** What the recount has to be equal to. Default: what is published. */
  readonly expected?: PublishedResults
  /** How long a live tally that runs elsewhere may take to catch up with what is in the log at the beginning. Default 30 s. */
  readonly patienceMs?: number
}

export interface RecountedPoll {
  readonly poll: string
  readonly published: ResultDocument | null
  readonly recounted: ResultDocument | null
  readonly isEqual: boolean
}

export interface Recount {
  readonly polls: readonly RecountedPoll[]
  /** Records that were in the log when the recount began, and that the live tally did not count in time. */
  readonly uncounted: number
}

/**
 * Counts again from the first record of the log, and compares (design §6.1):
 *
 *   1. Bring the live tally up to date, if that is ours to do; else wait until it has counted what is in the log now.
 *   2. Read what is published. Each result says up to which positions of the log it counts, which differ from poll to poll
 *      where votes are coming in.
 *   3. Run the same topology from offset 0, under an application id and into a topic of its own, and count of each poll
 *      what is before those positions: both have counted the same ballots then. Nothing that is published is touched.
 *   4. Compare the results of every poll.
 *   5. Delete the topics and the state of the recount.
 */
export async function recount(options: RecountOptions): Promise<Recount> {
  const { broker, logger, live, patienceMs = 30_000 } = options
  // 1.
  const ballots = (await broker.admin.describeTopics([topics.ballots])).get(topics.ballots)
  if (!ballots) return { polls: [], uncounted: 0 }
  const { partitionCount } = ballots
  if (live.stateDir !== null) {
    await runUntilRead(options, live.applicationId, live.stateDir, buildTallyTopology(partitionCount), partitionCount)
  }

  // 2.
  const published = options.expected ?? (await readPublished(broker, live.applicationId, patienceMs))!
  const { documents, uncounted } = published

  const applicationId = `recount-${Date.now().toString(36)}`
  const recountTo = `${applicationId}-results`
  const stateDir = mkdtempSync(join(tmpdir(), 'recount-'))
  await broker.admin.createTopics([
    { topic: recountTo, partitions: partitionCount, configs: { 'cleanup.policy': 'compact' } },
  ])
  try {
    // 3.
    const topology = buildTallyTopology(partitionCount, { recountTo, isBeyond: beyond(published) })
    await runUntilRead(options, applicationId, stateDir, topology, partitionCount)
    // 4. All of it is committed, though the last marker may still be on its way.
    return { polls: compare(documents, await newestResults(broker, recountTo, 'latest')), uncounted }
  } finally {
    // 5.
    rmSync(stateDir, { recursive: true, force: true })
    await broker.admin.deleteTopics([recountTo, ...internalTopics(applicationId)]).catch((error: unknown) => {
      logger.warn(
        { event: 'recount.left-over', error: String(error) },
        `topics of ${applicationId} could not be deleted`,
      )
    })
  }
}

/** Whether an effect is not in the published results, by their positions; of a partition that none is known of, by its end. */
function beyond({ documents, ends }: PublishedResults): (effect: Effect) => boolean {
  return ({ poll, partition, offset }) => offset! >= (documents.get(poll)?.positions?.[partition!] ?? ends[partition!]!)
}

const internalTopics = (applicationId: string): string[] => [
  effectsTopic(applicationId),
  ...[...classifyStores, resultsStore].map((store) => `${applicationId}-${store}-changelog`),
]

/** Runs a tally until it has committed past everything that is in the log now. */
async function runUntilRead(
  { broker, logger }: RecountOptions,
  applicationId: string,
  stateDir: string,
  topology: Topology,
  partitionCount: number,
): Promise<void> {
  const ends = await broker.admin.listOffsets(partitionsOf(topics.ballots, partitionCount), 'latest-stable')
  const streams = new Streams({ topology, applicationId, broker, stateDir, logger })
  await streams.start()
  try {
    const progress = new CountingProgress(broker, applicationId, partitionCount)
    await progress.untilCounted(ends, Infinity, async () => {
      if (streams.state === 'failed') throw (await streams.stopped) ?? new Error('the recount has stopped')
    })
  } finally {
    await streams.close()
  }
}

function compare(
  published: ReadonlyMap<string, ResultDocument>,
  recounted: ReadonlyMap<string, ResultDocument>,
): RecountedPoll[] {
  const polls = [...new Set([...published.keys(), ...recounted.keys()])].sort()
  return polls.map((poll) => {
    const [live, again] = [published.get(poll) ?? null, recounted.get(poll) ?? null]
    return { poll, published: live, recounted: again, isEqual: isDeepStrictEqual(countsOf(live), countsOf(again)) }
  })
}

/** What has to be equal: everything but when and how often it was written. */
function countsOf(document: ResultDocument | null): unknown {
  if (document === null) return null
  const { poll, status, definitionHash, voters, totals, blank, regions, accounting, rejections } = document
  return { poll, status, definitionHash, voters, totals, blank, regions, accounting, rejections }
}
