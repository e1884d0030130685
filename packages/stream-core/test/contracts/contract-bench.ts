import type { Broker, LogProducer, LogReader } from '../../src/index.ts'

export interface BrokerHarness {
  readonly broker: Broker
  cleanup(): Promise<void>
}

export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly timestampMs: number
  readonly headers: readonly (readonly [string, string | null])[]
}

export const bytes = (text: string): Buffer => Buffer.from(text)
export const values = (seen: readonly Seen[]): (string | null)[] => seen.map(({ value }) => value)

/** What the cases of the contract have in common: a log, and a new topic of two partitions for each. */
export class ContractBench {
  #counter = 0
  broker!: Broker
  topic = ''

  async newTopic(): Promise<void> {
    this.topic = `topic-${process.pid}-${this.#counter++}`
    await this.broker.admin.createTopics([{ topic: this.topic, partitions: 2 }])
  }

  readonly id = (): string => `${this.topic}-tx`

  readonly write = async (producer: LogProducer, written: readonly string[], partition = 0): Promise<void> => {
    for (const value of written) producer.append(this.topic, partition, bytes('k'), bytes(value), 1000)
    await producer.flush()
  }

  /** Reads up to where the partition ends now. */
  readonly read = async (
    options: Parameters<Broker['openReader']>[0] = {},
    partition = 0,
    from = 0,
  ): Promise<Seen[]> => {
    const at = options.isolation === 'read_uncommitted' ? 'latest' : 'latest-stable'
    const [end] = await this.broker.admin.listOffsets([{ topic: this.topic, partition }], at)
    const reader = this.broker.openReader(options)
    reader.assign([{ topic: this.topic, partition, offset: from }])
    const seen = await drain(reader, end!)
    await reader.close()
    return seen
  }
}

export async function drain(reader: LogReader, end: number, deadlineMs = 20_000): Promise<Seen[]> {
  const seen: Seen[] = []
  const giveUp = Date.now() + deadlineMs
  for (let position = 0; position < end;) {
    if (Date.now() > giveUp) throw new Error(`read up to ${position} of ${end}`)
    for (const { partition, records } of await reader.poll(1000)) {
      while (records.next()) {
        seen.push({
          partition,
          offset: records.offset,
          key: records.key()?.toString() ?? null,
          value: records.value()?.toString() ?? null,
          timestampMs: records.timestampMs,
          headers: records.headers().map(([header, value]) => [header, value?.toString() ?? null]),
        })
      }
      position = records.position
    }
    if (end === 0) break
  }
  return seen
}
