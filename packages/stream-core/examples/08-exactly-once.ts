import { int64, json, StreamsBuilder, string, type Topology } from 'stream-core'

export interface Transfer {
  readonly from: string
  readonly to: string
  readonly cents: number
}

/**
 * Keeps the balance of every account. A transfer is taken from one account and given to another, which may be counted by
 * another task on another machine; exactly-once is why no crash in between makes money or loses it.
 */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('transfers', { key: string(), value: json<Transfer>() })
    .flatMap(
      (_id, { from, to, cents }) => [
        [from, -cents],
        [to, cents],
      ],
      { key: string(), value: int64(), name: 'two-bookings' },
    )
    .groupByKey({ key: string(), value: int64(), name: 'bookings' })
    .aggregate<number>({
      init: () => 0,
      add: (balance, cents) => balance + cents,
      store: { name: 'balances', value: int64() },
    })
    .toStream()
    .to('balances', { value: int64() })
  return builder.build()
}
