import { join } from './join.ts'
import { restore } from './restore.ts'
import { newKeys, voteCount, voteCountRepartition } from './votes.ts'
import { wordCount } from './word-count.ts'
import type { Workload } from './workload.ts'

export const workloads: readonly Workload[] = [voteCount, voteCountRepartition, wordCount, newKeys, join, restore]
