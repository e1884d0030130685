/** What is asked of a contestant: one run of one workload. Its program finds it as JSON in the variable BENCH_JOB. */
export interface Job {
  readonly workload: WorkloadName
  readonly guarantee: Guarantee
  readonly bootstrapServers: string
  readonly applicationId: string
  readonly input: string
  /** The table's topic of a join; '' in other workloads. */
  readonly table: string
  readonly output: string
  /** For contestants that do not make repartition topics themselves. */
  readonly repartition: string
  /** How often the counted step runs before the contestant closes. */
  readonly ticks: number
  readonly stateDir: string
  /** After this the contestant gives up. */
  readonly limitMs: number
}

export type Guarantee = 'exactly-once' | 'at-least-once'
export const guarantees: readonly Guarantee[] = ['exactly-once', 'at-least-once']

export type WorkloadName = 'vote-count' | 'vote-count-repartition' | 'word-count' | 'new-keys' | 'join' | 'restore'

/**
 * What a contestant's program prints, each once, a line of its own: `@first`, `@half`, `@all` when the counted step ran for
 * the first, the middle and the last time; `@closed` when everything is written. `@check {…}`: what only it can see, a store.
 */
export type Mark = 'first' | 'half' | 'all' | 'check' | 'closed'
