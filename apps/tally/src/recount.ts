import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ResultDocument } from '@voting/election/events'
import { topics } from '@voting/election/topics'
import { type Broker, type Logger, Streams, type Topology } from 'stream-core'
import { classifyStores } from './classify.ts'
import { buildTallyTopology, resultsStore } from './topology.ts'

export interface RecountOptions {
  readonly broker: Broker
  readonly logger: Logger
  /** The live tally's application id, and where its state is, if nobody else runs it: then it is first brought up to date. */
  readonly live: { readonly applicationId: string; readonly stateDir: string } | null
  /** How long a live tally that runs elsewhere may take to catch up. Default 30 s. */
  readonly patienceMs?: number
}

export interface RecountedPoll {
  readonly poll: string
  readonly published: ResultDocument | null
  readonly recounted: ResultDocument | null
  readonly isEqual: boolean
}

/**
 * Counts again from the first record of the log, and compares (design §6.1):
 *
 *   1. Bring the live tally up to date, if that is ours to do: what it has not counted yet is no difference.
 *   2. Run the same topology from offset 0, under an application id and into a topic of its own, until it has read
 *      everything. Nothing that is published is touched.
 *   3. Compare the newest result of every poll; time goes on where the live tally runs elsewhere and is still counting.
 *   4. Delete the topics and the state of the recount.
 */
export async function recount(options: RecountOptions): Promise<readonly RecountedPoll[]> {
  const { broker, logger, live } = options
  const ballots = (await broker.admin.describeTopics([topics.ballots])).get(topics.ballots)
  if (!ballots) return []
  const { partitionCount } = ballots
  if (live)
    await runUntilRead(options, live.applicationId, live.stateDir, buildTallyTopology(partitionCount), partitionCount)

  const applicationId = `recount-${Date.now().toString(36)}`
  const recountTo = `${applicationId}-results`
  const stateDir = mkdtempSync(join(tmpdir(), 'recount-'))
  await broker.admin.createTopics([
    { topic: recountTo, partitions: partitionCount, configs: { 'cleanup.policy': 'compact' } },
  ])
  try {
    await runUntilRead(
      options,
      applicationId,
      stateDir,
      buildTallyTopology(partitionCount, { recountTo }),
      partitionCount,
    )
    // All of it is committed, though the last marker may still be on its way.
    const recounted = await newestResults(broker, recountTo, 'latest')
    const endMs = Date.now() + (live ? 0 : (options.patienceMs ?? 30_000))
    for (;;) {
      const polls = compare(await newestResults(broker, topics.results), recounted)
      if (polls.every(({ isEqual }) => isEqual) || Date.now() >= endMs) return polls
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  } finally {
    rmSync(stateDir, { recursive: true, force: true })
    await broker.admin.deleteTopics([recountTo, ...internalTopics(applicationId)]).catch((error: unknown) => {
      logger.warn(
        { event: 'recount.left-over', error: String(error) },
        `topics of ${applicationId} could not be deleted`,
      )
    })
  }
}

const internalTopics = (applicationId: string): string[] => [
  `${applicationId}-effects-repartition`,
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
  const partitionsOf = (topic: string) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
  const inputs = partitionsOf(topics.ballots)
  const ends = await broker.admin.listOffsets(inputs, 'latest-stable')
  const streams = new Streams({ topology, applicationId, broker, stateDir, logger })
  await streams.start()
  try {
    const hasRead = async (partitions: typeof inputs, targets: readonly number[]): Promise<boolean> => {
      const committed = await broker.admin.committedOffsets(applicationId, partitions, { requireStable: true })
      return committed.every(({ offset }, i) => offset >= targets[i]! || targets[i] === 0)
    }
    const effects = partitionsOf(`${applicationId}-effects-repartition`)
    for (;;) {
      if (streams.state === 'failed') throw (await streams.stopped) ?? new Error('the recount has stopped')
      // First the ballots, then what they led to: only then is the end of the effects the end. It is asked for without
      // regard to transactions: the positions of one may be seen before its marker has come to the effects, and until
      // then their stable end is that of the transaction before.
      if (await hasRead(inputs, ends)) {
        if (await hasRead(effects, await broker.admin.listOffsets(effects, 'latest'))) return
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  } finally {
    await streams.close()
  }
}

/** The newest document of every poll in a topic of results, up to this end of it. */
async function newestResults(
  broker: Broker,
  topic: string,
  end: 'latest' | 'latest-stable' = 'latest-stable',
): Promise<Map<string, ResultDocument>> {
  const found = new Map<string, ResultDocument>()
  const description = (await broker.admin.describeTopics([topic])).get(topic)
  if (!description) return found
  const partitions = Array.from({ length: description.partitionCount }, (_, partition) => ({ topic, partition }))
  const starts = await broker.admin.listOffsets(partitions, 'earliest')
  const ends = await broker.admin.listOffsets(partitions, end)
  const left = new Set(partitions.filter((_, i) => starts[i]! < ends[i]!).map(({ partition }) => partition))
  const reader = broker.openReader()
  try {
    reader.assign(partitions.map((partition, i) => ({ ...partition, offset: starts[i]! })))
    while (left.size > 0) {
      for (const { partition, records } of await reader.poll(1000)) {
        while (records.next()) {
          const value = records.value()
          if (value !== null) found.set(records.key()!.toString(), JSON.parse(value.toString()) as ResultDocument)
        }
        if (records.position >= ends[partition]!) left.delete(partition)
      }
    }
  } finally {
    await reader.close()
  }
  return found
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
