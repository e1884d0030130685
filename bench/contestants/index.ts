import type { Contestant } from '../harness/contestant.ts'
import { kafkaStreams } from './kafka-streams/contestant.ts'
import { kafkats } from './kafkats/contestant.ts'
import { nodeLoop } from './node-loop/contestant.ts'
import { pyspark } from './pyspark/contestant.ts'
import { quix } from './quix/contestant.ts'
import { raw } from './raw/contestant.ts'
import { streamCore } from './stream-core/contestant.ts'
import { streamCoreThreads } from './stream-core-threads/contestant.ts'

export const contestants: readonly Contestant[] = [
  streamCore,
  streamCoreThreads,
  kafkaStreams,
  raw,
  nodeLoop,
  pyspark,
  quix,
  kafkats,
]
