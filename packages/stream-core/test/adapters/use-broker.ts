import type { GroupMemberOptions } from '../../src/broker/group.ts'
import type { Broker } from '../../src/index.ts'

export const memberOptions = (groupId: string, topic: string): GroupMemberOptions => ({
  groupId,
  protocolName: 'test',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  heartbeatIntervalMs: 200,
  subscription: () => ({ topics: [topic], userData: Buffer.from('here'), ownedPartitions: [] }),
  assign: (peers) =>
    Promise.resolve(
      new Map(
        peers.map(({ memberId }) => [
          memberId,
          { partitions: [{ topic, partition: 0 }], userData: Buffer.from('all') },
        ]),
      ),
    ),
  onChange: () => undefined,
  onWarning: () => undefined,
})

/** Every kind of connection once: a topic, a group, a transaction with offsets, a reader. Returns what was read. */
export async function useEverything(broker: Broker, topic: string): Promise<string[]> {
  const groupId = `${topic}-group`
  await broker.admin.createTopics([{ topic, partitions: 1 }])
  const member = broker.openGroupMember(memberOptions(groupId, topic))
  await member.join()
  const producer = await broker.openProducer({ transactionalId: `${topic}-tx` })
  for (const value of ['one', 'two']) producer.append(topic, 0, null, value, Date.now())
  await producer.sendOffsets(member.metadata!, [{ topic, partition: 0, offset: 2, metadata: '' }])
  await producer.commit()
  const reader = broker.openReader()
  reader.assign([{ topic, partition: 0, offset: 0 }])
  const values: string[] = []
  for (const endMs = Date.now() + 20_000; values.length < 2 && Date.now() < endMs;) {
    for (const { records } of await reader.poll(1000)) while (records.next()) values.push(records.value()!.toString())
  }
  await member.leave()
  await reader.close()
  await producer.close()
  return values
}
