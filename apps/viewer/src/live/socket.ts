import type { WebSocket } from 'ws'
import type { PollView } from '../poll-view.ts'
import type { TrendRow } from '../result-store.ts'
import type { WindowName } from '../trend-columns.ts'
import type { Subscribe } from './protocol.ts'
import type { TrendSlices } from './trend-slices.ts'

/** A poll that a socket follows. */
export interface Subscription {
  /** Has shown the receipt of a ballot: sees what is hidden from others. */
  readonly isVoter: boolean
  readonly request: Subscribe
  readonly window: WindowName | null
  /** A change was skipped because the socket was behind: the next thing it gets is a snapshot. */
  hasMissed: boolean
  /** What this socket was last told; null while its first answer is on the way. */
  sent: PollView | null
  /** What was published meanwhile: the answer may have been read before it. */
  readonly early: TrendRow[]
  /** What is still to be sent of a long trend; null: nothing. */
  slices: TrendSlices | null
}

/** A page, or a program, that is connected. */
export interface Socket {
  readonly webSocket: WebSocket
  readonly subscriptions: Map<string, Subscription>
  /** Which of the heartbeat's times is its own. */
  readonly beatSlot: number
  isAlive: boolean
  inboundCount: number
  /** When it was last sent a heartbeat that it has not acknowledged; 0: none. */
  unackedMs: number
  /** Heartbeats in a row without an acknowledgement; null: it has never sent one, and need not. */
  missedAcks: number | null
  /** The largest that it was sent. */
  frameBytesMax: number
}
