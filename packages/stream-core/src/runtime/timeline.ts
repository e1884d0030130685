import type { Placement } from '../assignment/user-data.ts'
import { encodeTasks } from '../assignment/task-ranges.ts'
import type { Rebalance } from './group-session.ts'

/** Something that has happened to an instance. */
export interface TimelineEvent {
  readonly atMs: number
  readonly kind: TimelineKind
  /** A sentence, of bounded length. */
  readonly text: string
  /** How long it took, where that means something. */
  readonly durationMs: number | null
}

/** `recovery`: back to the last commit. `failure`: an error that nothing had mended. */
export type TimelineKind = 'state' | 'rebalance' | 'restored' | 'recovery' | 'failure'

const eventsMax = 200
const charsMax = 400

/** The newest events of an instance: a few hundred, whatever happens. They outlive what runs and is replaced. */
export class Timeline {
  readonly #events: TimelineEvent[] = []
  readonly #nowMs: () => number
  #members: ReadonlySet<string> = new Set()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Oldest first. */
  get events(): readonly TimelineEvent[] {
    return this.#events
  }

  note(kind: TimelineKind, text: string, durationMs: number | null = null): void {
    if (this.#events.length === eventsMax) this.#events.shift()
    this.#events.push({ atMs: this.#nowMs(), kind, text: shortened(text), durationMs })
  }

  /** Also tells which instances came and went since the last one. */
  noteRebalance(rebalance: Rebalance, placements: readonly Placement[]): void {
    const { generationId, reason, added, removed, active, standby, durationMs } = rebalance
    const members = new Set(placements.map(({ processId }) => processId))
    const before = this.#members
    const came = before.size === 0 ? [] : [...members].filter((id) => !before.has(id))
    const left = [...before].filter((id) => !members.has(id))
    this.#members = members
    const parts = [
      `generation ${generationId}, ${reasons[reason]}`,
      ...(came.length > 0 ? [`came: instance ${came.map(short).join(', ')}`] : []),
      ...(left.length > 0 ? [`left: instance ${left.map(short).join(', ')}`] : []),
      ...(added.length > 0 ? [`taken over: ${listed(added)}`] : []),
      ...(removed.length > 0 ? [`handed over: ${listed(removed)}`] : []),
      `${active.length} active and ${standby.length} standby tasks here`,
    ]
    this.note('rebalance', parts.join('; '), durationMs)
  }
}

const reasons: { readonly [reason in Rebalance['reason']]: string } = {
  started: 'this instance came',
  group: 'somebody came, went or asked',
  'handed-over': 'tasks that were given up are free',
  'warmed-up': 'a copy has caught up',
  topics: 'a pattern matches other topics',
  lost: 'the group had gone on without this instance',
  'shut-down': 'the whole application is to end',
}

/** As the operations page calls it. */
const short = (processId: string): string => processId.slice(0, 8)

const listed = (tasks: readonly string[]): string => `${tasks.length} (${encodeTasks(tasks)})`

const shortened = (text: string): string => (text.length > charsMax ? `${text.slice(0, charsMax)}…` : text)
