import type { Contestant } from './contestant.ts'

/** A contestant that takes part, and what it calls itself. */
export interface Present {
  readonly contestant: Contestant
  readonly version: string
}

/** Installs what contestants lack; one that cannot be had is named as skipped, with the reason. */
export async function provide(
  contestants: readonly Contestant[],
  say: (text: string) => void,
): Promise<readonly Present[]> {
  const present: Present[] = []
  for (const contestant of contestants) {
    try {
      present.push({ contestant, version: await contestant.provide() })
    } catch (error) {
      say(`skipped ${contestant.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return present
}
