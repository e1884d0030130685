import { ProcessingError } from './errors.ts'
import { shown } from './shown.ts'

/**
 * Asks a handler of the user's about a failure. A handler that throws, or decides nothing, hides neither: the error names it, and
 * its cause holds both.
 */
export function decisionOf<D extends string>(
  handler: string,
  nodeName: string,
  failure: Error,
  decisions: readonly D[],
  ask: () => unknown,
): D {
  const about = `it was asked about "${nodeName}": ${failure.message}`
  let decision: unknown
  try {
    decision = ask()
  } catch (error) {
    const own = (error as Error | null)?.message ?? String(error)
    const both = new AggregateError([failure, error], 'what failed, and what the handler threw')
    throw new ProcessingError(nodeName, `the ${handler} threw ${own}; ${about}`, { cause: both })
  }
  if (decisions.includes(decision as D)) return decision as D
  if (decision instanceof Promise) decision.catch(() => undefined)
  throw new ProcessingError(
    nodeName,
    `the ${handler} must return ${listed(decisions)}, and returned ${shown(decision)}; ${about}`,
    { cause: failure },
  )
}

const listed = (decisions: readonly string[]): string => {
  const quoted = decisions.map((each) => `'${each}'`)
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
