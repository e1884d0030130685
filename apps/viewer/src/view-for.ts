import type { PollView } from './poll-view.ts'
import type { ResultStore } from './result-store.ts'
import { unseal } from './sealing.ts'

/** Part of every address that shows results. */
export interface ViewQuery {
  /** Of a ballot of the poll: it opens results that are shown to those who have voted (D61). */
  readonly receipt?: string
}

/** A poll as whoever asks may see it. */
export async function viewFor(
  store: ResultStore,
  idOrSlug: string,
  { receipt }: { readonly [name in keyof ViewQuery]?: unknown },
): Promise<PollView | null> {
  const view = await store.poll(idOrSlug)
  if (view?.hiding !== 'after-voting' || typeof receipt !== 'string') return view
  return (await store.holdsReceipt(view, receipt)) ? unseal(view) : view
}
