/** What every app's `start…` function returns: the demo runs several of them in one process. */
export interface RunningApp {
  readonly name: 'ingest' | 'tally' | 'viewer'
  /** Where people and programs reach it; absent for an app that serves only its ops port. */
  readonly url?: string
  /** Address of `/livez`, `/readyz` and `/metrics`. */
  readonly ops: string
  /** Stops taking work, finishes what is under way, closes. Safe to call twice. */
  close(): Promise<void>
  /** What became of the work that was under way when it was closed, as the rest of a sentence; asked after `close`. */
  report?(): string
  /** Resolves when the app has failed for good and should be ended, with the reason. */
  readonly failed: Promise<Error>
}
