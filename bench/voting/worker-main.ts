/** The process of a worker (worker.ts): makes what it is told to be, and does what it is asked. Ends with its pipe. */
import { Probe, type ProbeOptions } from './probe.ts'
import { Swarm, type SwarmOptions } from './swarm.ts'
import { Voters, type VotersOptions } from './voters.ts'
import type { Reply, Request, Roles } from './worker.ts'

let role: Roles[keyof Roles] | null = null

function make(name: keyof Roles, options: unknown): Roles[keyof Roles] {
  if (name === 'voters') return new Voters(options as VotersOptions)
  return name === 'probe' ? new Probe(options as ProbeOptions) : new Swarm(options as SwarmOptions)
}

async function answer(request: Request): Promise<unknown> {
  if ('make' in request) {
    role = make(request.make, request.options)
    return null
  }
  const methods = role as unknown as { readonly [name: string]: (...args: readonly unknown[]) => unknown }
  return methods[request.call]!.apply(role, [...request.with])
}

process.on('message', (request: Request) => {
  const reply = (rest: Omit<Reply, 'id'>): void =>
    void (process.connected && process.send!({ id: request.id, ...rest }))
  answer(request).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
