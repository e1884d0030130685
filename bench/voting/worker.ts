import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Probe } from './probe.ts'
import type { Swarm } from './swarm.ts'
import type { Voters } from './voters.ts'

/** What a worker can be: `worker-main.ts` makes it from its options. */
export interface Roles {
  readonly voters: Voters
  readonly probe: Probe
  readonly swarm: Swarm
}

export type Request =
  | { readonly id: number; readonly make: keyof Roles; readonly options: unknown }
  | { readonly id: number; readonly call: string; readonly with: readonly unknown[] }

export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** The methods of a role, each of which answers later. */
type Remote<T> = {
  readonly [M in keyof T as T[M] extends (...args: never[]) => unknown ? M : never]: T[M] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

/** A role in a process of its own, so that one core's worth of clients is not the limit of what is measured. */
export interface Worker<R extends keyof Roles> {
  readonly does: Remote<Roles[R]>
  /** Ends the process. */
  end(): Promise<void>
}

export async function startWorker<R extends keyof Roles>(role: R, options: unknown): Promise<Worker<R>> {
  const child = fork(join(import.meta.dirname, 'worker-main.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let last = 0
  child.on('message', ({ id, result, error }: Reply) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(result)
    else one?.reject(new Error(`${role}: ${error}`))
  })
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${role} has ended with ${code}`))
  })
  const ask = (request: { make: R; options: unknown } | { call: string; with: readonly unknown[] }): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, { resolve, reject })
      child.send({ id, ...request })
    })
  await ask({ make: role, options })
  return {
    does: new Proxy(
      {},
      {
        get:
          (_, call) =>
          (...args: unknown[]) =>
            ask({ call: String(call), with: args }),
      },
    ) as Remote<Roles[R]>,
    async end() {
      endOf(child)
      await exited
    },
  }
}

/** The pipe is what it lives by. */
function endOf(child: ChildProcess): void {
  if (child.connected) child.disconnect()
}
