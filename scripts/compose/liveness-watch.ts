import { setTimeout as delay } from 'node:timers/promises'
import type { ComposedSystem } from './composed-system.ts'

const everyMs = 300
const answerDeadlineMs = 5000

/**
 * Asks apps whether they live, again and again, while others are killed: a supervisor that restarts what does not live
 * must never restart what only waits.
 */
export class LivenessWatch {
  readonly #addresses = new Map<string, string>()
  readonly #failures: string[] = []
  readonly #excused = new Set<string>()
  readonly #done: Promise<void>
  #isStopped = false
  #asked = 0

  constructor(addresses: ReadonlyMap<string, string>) {
    this.#addresses = new Map(addresses)
    this.#done = Promise.all([...addresses.keys()].map((name) => this.#watch(name))).then(() => undefined)
  }

  static async of(system: ComposedSystem, services: readonly string[]): Promise<LivenessWatch> {
    const entries = await Promise.all(services.map(async (name) => [name, await system.operations(name)] as const))
    return new LivenessWatch(new Map(entries))
  }

  /** It is killed on purpose: not asked until it is back. */
  excuse(service: string): void {
    this.#excused.add(service)
  }

  async expectAgain(service: string, system: ComposedSystem): Promise<void> {
    this.#addresses.set(service, await system.operations(service))
    this.#excused.delete(service)
  }

  /** Ends it. Throws if anything that lived was not said to. Resolves with how often was asked. */
  async stop(): Promise<number> {
    this.#isStopped = true
    await this.#done
    if (this.#failures.length > 0) throw new Error(`/livez failed ${this.#failures.length} times: ${this.#failures[0]}`)
    return this.#asked
  }

  async #watch(name: string): Promise<void> {
    while (!this.#isStopped) {
      if (!this.#excused.has(name)) {
        const trouble = await livez(this.#addresses.get(name)!)
        this.#asked++
        if (trouble !== null && !this.#excused.has(name)) {
          this.#failures.push(`${name} at ${new Date().toISOString()}: ${trouble}`)
        }
      }
      await delay(everyMs)
    }
  }
}

/** null: it lives. */
const livez = (address: string): Promise<string | null> =>
  fetch(`${address}/livez`, { signal: AbortSignal.timeout(answerDeadlineMs) }).then(
    async (answer) => (await answer.text(), answer.status === 200 ? null : `answered ${answer.status}`),
    (error: unknown) => String((error as Error).cause ?? error),
  )
