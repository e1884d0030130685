import {
  int64,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
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
    .process(onlyFirst, { name: 'deduplicate', stores: [seenTimes], key: string(), value: string() })
    .to('unique-events')
  return builder.build()
}

const seenTimes = stores.keyValue({ name: 'seen', key: string(), value: int64() })

/** Called once for each task. */
function onlyFirst(): Processor<string, string> {
  let context: ProcessorContext<string, string>
  let seen: KeyValueStore<string, number>
  return {
    init(given) {
      context = given
      seen = context.getStateStore('seen')
      context.schedule(hourMs, 'stream-time', forget)
    },
    process(record) {
      if (seen.putIfAbsent(record.key, record.timestampMs) === null) context.forward(record)
    },
  }

  function forget(nowMs: number): void {
    for (const [id, seenMs] of seen.all()) if (seenMs < nowMs - 24 * hourMs) seen.delete(id)
  }
}
