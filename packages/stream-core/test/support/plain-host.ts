import { noRecordContext } from '../../src/common/record.ts'
import type { StoreHost } from '../../src/state/store-host.ts'

/** For stores that nobody processes records with: no cache, and nothing is dropped that anybody counts. */
export const plainHost: StoreHost = {
  recordContext: noRecordContext,
  cache: null,
  hasExactCacheSizes: false,
  isGlobal: false,
  isReadOnly: false,
  drop: () => undefined,
}
