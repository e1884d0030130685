import type { ComposedSystem } from './composed-system.ts'
import type { Electorate, Poll } from './electorate.ts'

/** What a drill works on: a system that is deleted with all its volumes, and has to come back. */
export interface Drill {
  readonly system: ComposedSystem
  readonly poll: Poll
  /** Voters of the poll: what they hold is compared with what is counted in the end. */
  readonly electorate: Electorate
  /** Settings that the system comes back with. */
  readonly env: NodeJS.ProcessEnv
  /** Of this machine, for whatever is saved; every user may write there. */
  readonly folder: string
  readonly log: (text: string) => void
}
