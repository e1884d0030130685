import { type Broker, int64, json, type Serde, type Streams, string } from '../../src/index.ts'
import { readAll } from '../support/log-records.ts'
import { applicationId } from './sim-topology.ts'

const stores: { readonly [name: string]: Serde<unknown> } = {
  groups: json<unknown>(),
  lasts: int64(),
}

/** What the stores of all instances have, copies too, that their changelogs have not, or the other way round; in words. */
export async function compareStores(broker: Broker, all: readonly Streams[]): Promise<string[]> {
  const wrong: string[] = []
  for (const [store, value] of Object.entries(stores)) {
    const logged = new Map<number, Map<string, string>>()
    for (const record of await readAll(broker, `${applicationId}-${store}-changelog`)) {
      const table = logged.get(record.partition) ?? new Map<string, string>()
      logged.set(record.partition, table)
      if (record.value === null) table.delete(record.key!)
      else table.set(record.key!, shown(store, record.value))
    }
    for (const streams of all) {
      for (const at of streams.metadataForStore(store).filter(({ isLocal }) => isLocal)) {
        for (const partition of [...at.activePartitions, ...at.standbyPartitions]) {
          const query = { kind: 'keyValue', key: string(), value, partitions: [partition], allowStale: true } as const
          const found = [...streams.store(store, query).all()].map(([key, each]) => `${key}=${JSON.stringify(each)}`)
          const expected = [...(logged.get(partition) ?? [])].map(([key, each]) => `${key}=${each}`)
          if (found.sort().join() === expected.sort().join()) continue
          const what = `${store} ${partition} of ${at.processId.slice(-1)}`
          wrong.push(`${what} has {${found.join()}}, its changelog {${expected.join()}}`)
        }
      }
    }
  }
  return wrong
}

const shown = (store: string, value: string): string =>
  store === 'groups' ? value : String(Buffer.from(value, 'latin1').readBigInt64BE())
