import type { LogReader } from '../broker/broker.ts'
import type { GroupMetadata } from '../broker/group.ts'
import { BrokerError, ConfigError, MemberLostError, OffsetOutOfRangeError } from '../common/errors.ts'
import { topicNames } from './internal-topics.ts'
import { offsetResets } from './start-positions.ts'
import type { StreamsConfig } from './streams-config.ts'

const againMs = 200

export interface TakeBackOptions {
  readonly asMember: (commit: (group: GroupMetadata) => Promise<void>) => Promise<void>
  /** False: the application closes, and does not wait for a log that is away. */
  readonly isWanted: () => boolean
}

/**
 * An input was cut where it had been read already, or its topic made anew: from `divergedAt` on the log has other records, or
 * none. A committed position beyond that stands for what is gone, and what came in its place would never be read. So the
 * position is taken back to there (KIP-320); `offsetReset: 'none'` says that nobody but the user may do that.
 */
async function takeBack(
  told: OffsetOutOfRangeError,
  { broker, topology, applicationId, logger, clock, seams }: StreamsConfig,
  { asMember, isWanted }: TakeBackOptions,
): Promise<void> {
  const { topic, partition, divergedAt } = told
  if (divergedAt === null || seams.takesBack === false) return
  while (isWanted()) {
    try {
      const [known] = await broker.admin.committedOffsets(applicationId, [{ topic, partition }], {
        requireStable: true,
      })
      // Others have taken it back, or what is before it was written under another leader: then it is taken as it stands.
      const isBefore = known !== undefined && known.offset <= divergedAt
      if (known === undefined || (isBefore && known.leaderEpoch === undefined)) return
      if (offsetResets(topology, topicNames(topology, applicationId))(topic) === 'none') {
        throw new ConfigError(
          'offsetReset',
          `${told.message}; offsetReset: 'none' says that it is not gone on with by itself`,
        )
      }
      const offset = Math.min(known.offset, divergedAt)
      const producer = await broker.openProducer()
      try {
        await asMember((group) => producer.commitOffsets(group, [{ ...known, offset, leaderEpoch: -1 }]))
      } finally {
        await producer.close()
      }
      const fields = { topic, partition, committed: known.offset, offset }
      return logger.warn({ event: 'input.cut', ...fields }, 'an input was cut: reading goes on where it differs')
    } catch (error) {
      // Who has the task now finds it out as well.
      if (error instanceof MemberLostError) return
      if (!(error instanceof BrokerError) || !error.retryable) throw error
      await clock.sleep(againMs)
    }
  }
}

/** The same for whatever else was cut: the reader knows it, and would forget it when its inputs are given to it anew. */
export async function takeBackAll(
  first: OffsetOutOfRangeError,
  reader: LogReader,
  config: StreamsConfig,
  options: TakeBackOptions,
): Promise<void> {
  for (let told: unknown = first; told instanceof OffsetOutOfRangeError;) {
    await takeBack(told, config, options)
    reader.remove([told])
    told = await reader.poll(0).catch((error: unknown) => error)
  }
}
