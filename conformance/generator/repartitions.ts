import type { Draft, StreamHandle } from './draft.ts'

/** What a step that keeps the key makes of where its stream comes from. */
export function kept(
  stream: StreamHandle,
  stepId: string,
): Pick<StreamHandle, 'isRekeyed' | 'isKeyChanger' | 'belowKeyChangers'> {
  return {
    isRekeyed: stream.isRekeyed,
    isKeyChanger: false,
    belowKeyChangers: stream.isKeyChanger ? [stepId] : stream.belowKeyChangers,
  }
}

export const rekeyed = { isRekeyed: true, isKeyChanger: true, belowKeyChangers: [] } as const
export const repartitioned = { isRekeyed: false, isKeyChanger: false, belowKeyChangers: [] } as const

/**
 * Whether a repartition may be put below these streams; it is taken note of.
 *
 * J5: with merge.repartition.topics, Java fails to build two repartitions below one step that keeps the key and hangs below a
 * step that changed it. So each such step gets one at most.
 */
export function claimRepartition(draft: Draft, ...streams: readonly StreamHandle[]): boolean {
  if (draft.isCareless || !draft.isOptimized('merge.repartition.topics')) return true
  const below = streams.filter((stream) => stream.isRekeyed).flatMap((stream) => stream.belowKeyChangers)
  if (new Set(below).size < below.length) return false
  if (below.some((step) => draft.repartitionedBelow.has(step))) return false
  for (const step of below) draft.repartitionedBelow.add(step)
  return true
}
