import { StreamsError } from '../common/errors.ts'
import type { StreamsState } from '../runtime/streams-config.ts'
import type { ThreadContext } from './thread-module.ts'

/** What a worker is started with. */
export interface WorkerStart {
  /** The URL of the module. */
  readonly module: string
  readonly context: ThreadContext
  /** What all threads of the process go down with. */
  readonly host: string
}

export type ToThread =
  | { readonly kind: 'close'; readonly timeoutMs: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'ask'; readonly id: number; readonly what: 'state' | 'metrics' }

export type FromThread =
  | { readonly kind: 'state'; readonly state: StreamsState }
  | { readonly kind: 'running' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'closed'; readonly isInTime: boolean }
  | { readonly kind: 'ended'; readonly failure: SentError | null }

/** An error on its way to another thread, where its class would be lost. */
export interface SentError {
  readonly code: string
  readonly message: string
  readonly stack: string
}

export const sent = (error: Error): SentError => ({
  code: error instanceof StreamsError ? error.code : error.name,
  message: error.message,
  stack: error.stack ?? String(error),
})
