import {
  type FixedKeyProcessor,
  type FixedKeyProcessorContext,
  json,
  type KeyValueStore,
  stores,
  string,
} from 'stream-core'
import type { Effect } from '../effects.ts'

export const epochsStore = 'epochs'

/**
 * Gives all effects of a poll one epoch, the first: each partition opens a poll for itself, and notes a time of its own. The
 * result has the first, too, and by it is known which analytics belong to the same counting.
 */
export function oneEpoch(): FixedKeyProcessor<string, Effect> {
  let context: FixedKeyProcessorContext<string, Effect>
  let epochs: KeyValueStore<string, number>
  return {
    init(given) {
      context = given
      epochs = context.getStateStore(epochsStore)
    },
    process(record) {
      const { key: poll, value: effect } = record
      if (poll === null || effect === null) return
      // What comes ahead of any opening has none, and does not begin one.
      const known = epochs.get(poll) ?? 0
      const epoch = known === 0 ? effect.epoch : known
      if (known === 0 && epoch !== 0) epochs.put(poll, epoch)
      context.forward(epoch === effect.epoch ? record : { ...record, value: { ...effect, epoch } })
    },
  }
}

oneEpoch.stores = [stores.keyValue({ name: epochsStore, key: string(), value: json<number>() })]
