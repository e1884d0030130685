import { setTimeout as delay } from 'node:timers/promises'

/** Looks again and again until it is so; a look that throws says no. Throws when it is not within this time. */
export async function until(what: string, look: () => Promise<boolean>, withinMs = 90_000): Promise<void> {
  const endMs = Date.now() + withinMs
  while (!(await look().catch(() => false))) {
    if (Date.now() > endMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`)
    await delay(250)
  }
}
