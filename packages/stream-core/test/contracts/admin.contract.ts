import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { GroupMember } from '../../src/broker/group.ts'
import type { Broker } from '../../src/index.ts'
import { describeMembership } from './membership.contract.ts'

export interface AdminHarness {
  readonly broker: Broker
  cleanup(): Promise<void>
}

/** What both logs say of groups, and let an administrator do to them. */
export function describeAdmin(name: string, open: () => Promise<AdminHarness>): void {
  describe(`groups of ${name}, seen by an administrator`, () => {
    let harness: AdminHarness
    let broker: Broker
    let topic: string
    let group: string
    let counter = 0

    beforeAll(async () => {
      harness = await open()
      broker = harness.broker
    })
    afterAll(() => harness?.cleanup())
    describeMembership(name, () => broker)
    beforeEach(async () => {
      topic = `topic-${process.pid}-${counter}`
      group = `group-${process.pid}-${counter++}`
      await broker.admin.createTopics([
        { topic, partitions: 2 },
        { topic: `${topic}-other`, partitions: 1 },
      ])
    })

    const at = (offset: number, partition = 0, of = topic) => ({ topic: of, partition, offset, metadata: 'm' })

    async function commit(...offsets: ReturnType<typeof at>[]): Promise<void> {
      const producer = await broker.openProducer()
      await producer.commitOffsets(group, offsets)
      await producer.close()
    }

    function member(groupId: string): GroupMember {
      return broker.openGroupMember({
        groupId,
        protocolName: 'test',
        instanceId: 'first',
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        heartbeatIntervalMs: 1000,
        subscription: () => ({ topics: [topic], userData: Buffer.alloc(0), ownedPartitions: [] }),
        assign: async (peers) =>
          new Map(peers.map(({ memberId }) => [memberId, { partitions: [], userData: Buffer.from('x') }])),
        onChange: () => undefined,
        onWarning: () => undefined,
      })
    }

    test('all positions of a group are listed, over all topics, and those of other groups are not', async () => {
      await commit(at(3), at(5, 1), at(7, 0, `${topic}-other`))
      const producer = await broker.openProducer()
      await producer.commitOffsets(`${group}-2`, [at(9)])
      await producer.close()
      const found = [...(await broker.admin.groupOffsets(group))].sort((a, b) => a.offset - b.offset)
      expect(found).toEqual([at(3), at(5, 1), at(7, 0, `${topic}-other`)])
    })

    test('a group that does not exist has no positions and no members, and is not listed', async () => {
      expect(await broker.admin.groupOffsets(group)).toEqual([])
      expect(await broker.admin.groupMembers(group)).toEqual([])
      expect(await broker.admin.listGroups()).not.toContain(group)
      await broker.admin.deleteGroupOffsets(group, [at(0)])
    })

    test('a group with positions only is listed and has no members', async () => {
      await commit(at(1))
      expect(await broker.admin.listGroups()).toContain(group)
      expect(await broker.admin.groupMembers(group)).toEqual([])
    })

    test('positions are forgotten one by one; a position that is not there is passed over', async () => {
      await commit(at(3), at(5, 1))
      await broker.admin.deleteGroupOffsets(group, [at(0), at(0, 0, `${topic}-other`)])
      expect(await broker.admin.groupOffsets(group)).toEqual([at(5, 1)])
      const [forgotten] = await broker.admin.committedOffsets(group, [{ topic, partition: 0 }], { requireStable: true })
      expect(forgotten!.offset).toBe(-1)
    })

    test('members are named; while there are any, nobody else forgets or moves positions', async () => {
      await commit(at(3))
      const first = member(group)
      await first.join()
      expect(await broker.admin.groupMembers(group)).toMatchObject([{ instanceId: 'first' }])
      expect(await broker.admin.listGroups()).toContain(group)
      const deletion = broker.admin.deleteGroupOffsets(group, [at(0)])
      await expect(deletion).rejects.toMatchObject({ code: 'BROKER_REFUSED', message: expect.stringContaining(group) })
      await expect(commit(at(0))).rejects.toMatchObject({ code: 'MEMBER_LOST' })
      expect(await broker.admin.groupOffsets(group)).toEqual([at(3)])
      await first.leave()
      await first.close()
      expect(await broker.admin.groupMembers(group)).toEqual([])
      await broker.admin.deleteGroupOffsets(group, [at(0)])
      expect(await broker.admin.groupOffsets(group)).toEqual([])
    })

    test('positions of an open transaction are not told before it is committed', async () => {
      const producer = await broker.openProducer({ transactionalId: `${group}-tx` })
      producer.append(topic, 0, null, Buffer.from('v'), 1)
      await producer.sendOffsets(group, [at(4)])
      expect(await broker.admin.groupOffsets(group)).toEqual([])
      await producer.commit()
      await broker.admin.committedOffsets(group, [at(0)], { requireStable: true })
      expect(await broker.admin.groupOffsets(group)).toEqual([at(4)])
      await producer.close()
    })
  })
}
