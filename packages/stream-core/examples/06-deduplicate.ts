import {
  int64,
  type KeyValueStore,
  type ProcessorContext,
  type ProcessorSupplier,
  type Record,
  stores,
  StreamsBuilder,
  string,
  type Topology,
} from 'stream-core'

const hourMs = 3_600_000

/** Lets each event pass once, however often it is sent, and forgets its id a day later. */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('events', { key: string(), value: string() })
    .process(onlyFirst, { name: 'deduplicate', key: string(), value: string() })
    .to('unique-events')
  return builder.build()
}

const seenTimes = stores.keyValue({ name: 'seen', key: string(), value: int64() })

/** `stores` come with the supplier: whoever uses it needs to know nothing of them. */
const onlyFirst: ProcessorSupplier<string, string, string, string> = Object.assign(
  () => {
    let context: ProcessorContext<string, string>
    let seen: KeyValueStore<string, number>
    return {
      init(given: ProcessorContext<string, string>) {
        context = given
        seen = context.getStateStore('seen')
        context.schedule(hourMs, 'stream-time', forget)
      },
      process(record: Record<string, string>) {
        if (seen.putIfAbsent(record.key, record.timestampMs) === null) context.forward(record)
      },
    }

    function forget(nowMs: number): void {
      for (const [id, seenMs] of seen.all()) if (seenMs < nowMs - 24 * hourMs) seen.delete(id)
    }
  },
  { stores: [seenTimes] },
)
