import { ProcessingError } from '../common/errors.ts'

/** A promise would be forgotten: its work would be in no transaction, and its failure nobody's. */
export function refuseAsync(result: unknown, nodeName: string): void {
  if (!(result instanceof Promise)) return
  result.catch(() => undefined)
  throw new ProcessingError(
    nodeName,
    `"${nodeName}" is asynchronous, and nobody would wait for it: use mapValuesAsync, flatMapValuesAsync or processAsync`,
  )
}
