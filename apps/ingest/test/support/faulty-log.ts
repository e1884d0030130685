import { BrokerError, type Broker, type LogProducer, type OnDelivered } from 'stream-core'

/** What happens to the next writes: faults that no real log produces at will. */
export type Fault = 'none' | 'not-written' | 'unknown' | 'written-but-unknown' | 'slow' | 'stuck'

/** How late a slow log says that it has a record. */
export const slowMs = 700

/** A log whose producers fail on request, around a real one. Everything else goes to the real log. */
export class FaultyLog implements Broker {
  fault: Fault = 'none'
  /** Only records with this key meet the fault; null: all do. */
  onlyKey: string | null = null
  readonly #stuck: OnDelivered[] = []
  readonly #log: Broker

  constructor(log: Broker) {
    this.#log = log
  }

  get admin(): Broker['admin'] {
    return this.#log.admin
  }

  openReader(...options: Parameters<Broker['openReader']>): ReturnType<Broker['openReader']> {
    return this.#log.openReader(...options)
  }

  openGroupMember(...options: Parameters<Broker['openGroupMember']>): ReturnType<Broker['openGroupMember']> {
    return this.#log.openGroupMember(...options)
  }

  /** Those that were stuck are told that nothing was written. */
  release(): void {
    this.fault = 'none'
    for (const onDelivered of this.#stuck.splice(0)) failLater(onDelivered, 'no')
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  async openProducer(...options: Parameters<Broker['openProducer']>): Promise<LogProducer> {
    const producer = await this.#log.openProducer(...options)
    const append: LogProducer['append'] = (topic, partition, key, value, timestampMs, headers, onDelivered) => {
      const isMet = this.onlyKey === null || String(key) === this.onlyKey
      const fault = isMet ? this.fault : 'none'
      if (fault === 'stuck') {
        if (onDelivered) this.#stuck.push(onDelivered)
        return
      }
      if (fault === 'none' || fault === 'slow') {
        const late: OnDelivered = (...outcome) => setTimeout(() => onDelivered?.(...outcome), slowMs)
        producer.append(topic, partition, key, value, timestampMs, headers, fault === 'slow' ? late : onDelivered)
        return
      }
      if (fault === 'written-but-unknown') producer.append(topic, partition, key, value, timestampMs, headers)
      failLater(onDelivered, fault === 'not-written' ? 'no' : 'unknown')
    }
    return new Proxy(producer, {
      get(target, name) {
        if (name === 'append') return append
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
  }
}

function failLater(onDelivered: OnDelivered | undefined, written: 'no' | 'unknown'): void {
  const code = written === 'no' ? 'BROKER_UNAVAILABLE' : 'DELIVERY_UNCONFIRMED'
  setImmediate(() => onDelivered?.(new BrokerError(code, 'a fault of the test', { retryable: true, written }), -1))
}
