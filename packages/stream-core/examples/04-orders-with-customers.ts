import { json, StreamsBuilder, string, type Topology } from 'stream-core'

export interface Order {
  readonly product: string
  readonly quantity: number
}
export interface Customer {
  readonly name: string
}
export interface Product {
  readonly title: string
  readonly cents: number
}
export interface Line {
  readonly customer: string
  readonly title: string
  readonly cents: number
}

/**
 * Adds to each order what is known of its customer, who shares its key and so its partition, and of its product, which does
 * not: the catalogue is small, so every instance keeps a copy of it.
 */
export function topology(): Topology {
  const builder = new StreamsBuilder()
  const customers = builder.table('customers', { key: string(), value: json<Customer>(), store: { name: 'customers' } })
  const products = builder.globalTable('products', { key: string(), value: json<Product>() })
  builder
    .stream('orders', { key: string(), value: json<Order>() })
    .leftJoin(customers, (order, customer) => ({ ...order, customer: customer?.name ?? 'a guest' }), {
      name: 'with-customer',
    })
    .join(
      products,
      ({ customer, quantity }, { title, cents }): Line => ({ customer, title, cents: quantity * cents }),
      { mapKey: (_customer, order) => order.product, name: 'with-product' },
    )
    .to('lines', { value: json<Line>() })
  return builder.build()
}
