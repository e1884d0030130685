import { describe, expect, test } from 'vitest'
import type { GroupMember } from '../../src/broker/group.ts'
import type { Broker } from '../../src/index.ts'
import { eventually } from '../support/log-records.ts'

/** What becomes of a member whose place another takes. */
export function describeMembership(name: string, opened: () => Broker): void {
  describe(`static members of ${name}`, () => {
    let counter = 0

    async function newGroup(): Promise<string> {
      const group = `members-${process.pid}-${counter++}`
      await opened().admin.createTopics([{ topic: `topic-${group}`, partitions: 1 }])
      return group
    }

    function member(groupId: string, instanceId = 'one'): GroupMember {
      return opened().openGroupMember({
        groupId,
        protocolName: 'test',
        instanceId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        heartbeatIntervalMs: 100,
        subscription: () => ({ topics: [`topic-${groupId}`], userData: Buffer.alloc(0), ownedPartitions: [] }),
        assign: async (peers) =>
          new Map(peers.map(({ memberId }) => [memberId, { partitions: [], userData: Buffer.from('x') }])),
        onChange: () => undefined,
        onWarning: () => undefined,
      })
    }

    test('a join that arrives late, of a process that is gone, takes a member’s place once; the member takes it back', async () => {
      const group = await newGroup()
      const [living, ghost] = [member(group), member(group)]
      await living.join()
      const before = living.metadata!.memberId
      await ghost.join()
      await ghost.close()
      await eventually('it has noticed', async () => living.isLost || living.failure !== null)
      expect(living.failure).toBeNull()
      await expect(living.join()).rejects.toMatchObject({ code: 'MEMBER_LOST' })
      living.giveUp()
      await living.join()
      expect(living.metadata!.memberId).not.toBe(before)
      // It stays: more heartbeats than it took to notice.
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect([living.isLost, living.failure]).toEqual([false, null])
      await living.leave()
    })

    test('of two that live with one instance id, one fails and the other stays', async () => {
      const group = await newGroup()
      const twins = [member(group), member(group)]
      const both = twins.map(async (twin) => {
        for (const endMs = Date.now() + 30_000; Date.now() < endMs && twin.failure === null;) {
          if (twin.isLost) twin.giveUp()
          if (twin.isRejoinDue) await twin.join().catch(() => undefined)
          await new Promise((resolve) => setTimeout(resolve, 20))
          if (twins.some(({ failure }) => failure !== null)) return
        }
      })
      await Promise.all(both)
      const failed = twins.filter(({ failure }) => failure !== null)
      expect(failed.map(({ failure }) => failure)).toMatchObject([{ code: 'FENCED' }])
      const left = twins.find(({ failure }) => failure === null)!
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect([left.isLost, left.failure]).toEqual([false, null])
      for (const twin of twins) await twin.leave()
    })

    test('one that leaves while its join is under way ends at once, and holds nobody up', async () => {
      const group = await newGroup()
      const [staying, leaving] = [member(group, 'staying'), member(group, 'leaving')]
      await staying.join()
      // It waits for the other, who does not know yet.
      const joining = leaving.join().then(
        () => 'joined',
        () => 'ended',
      )
      await eventually('a rebalance is due', () => staying.isRejoinDue)
      const startedMs = Date.now()
      await leaving.leave()
      expect(await joining).toBe('ended')
      const { generationId } = await staying.join()
      // Not the rebalance timeout, nor the session.
      expect(Date.now() - startedMs).toBeLessThan(8000)
      expect(generationId).toBeGreaterThan(0)
      await staying.leave()
    })
  })
}
