import { joinWindows, StreamsBuilder, string, type Topology } from 'stream-core'

/** Finds orders that nobody has paid within an hour, and pays heed to payments that arrive up to ten minutes late. */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  const strings = { key: string(), value: string() }
  const orders = builder.stream('orders', strings)
  const payments = builder.stream('payments', strings)
  const checked = orders.leftJoin(
    payments,
    (order, payment) => (payment === null ? `${order} is unpaid` : `${order} is paid by ${payment}`),
    {
      // Payments from the time of the order to an hour later.
      windows: joinWindows({ difference: { hours: 1 }, beforeMs: 0, grace: { minutes: 10 } }),
      name: 'payment-of-order',
      storeName: 'payment-of-order',
      otherValue: string(),
    },
  )
  const { unpaid } = checked.split({ unpaid: (_order, text) => text.endsWith('unpaid'), paid: 'otherwise' })
  unpaid.to('reminders', { value: string() })
  return builder.build()
}
