import { expect, test } from 'vitest'
import { plainCodec } from '../../src/adapters/embedded/embedded-log.ts'
import { EmbeddedGroups } from '../../src/adapters/embedded/embedded-groups.ts'
import { ClassicGroupMember } from '../../src/broker/classic-group-member.ts'
import { groupCode, type GroupCoordinator, type JoinAnswer } from '../../src/broker/group-coordinator.ts'
import type { GroupMemberOptions, GroupPeer } from '../../src/broker/group.ts'
import { BrokerError } from '../../src/index.ts'
import { SimClock } from '../simulation/sim-clock.ts'

/** Virtual time goes on until the promise is settled. */
async function ahead<T>(clock: SimClock, promise: Promise<T>): Promise<T> {
  let isDone = false
  const finished = promise.finally(() => (isDone = true))
  finished.catch(() => undefined)
  for (let i = 0; !isDone && i < 10_000; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1)
  }
  if (!isDone) throw new Error('it never ends')
  return finished
}

function open(clock: SimClock, groups: EmbeddedGroups, name: string, wrap = (it: GroupCoordinator) => it) {
  const options: GroupMemberOptions = {
    groupId: 'group',
    protocolName: 'test',
    instanceId: name,
    sessionTimeoutMs: 100,
    rebalanceTimeoutMs: 200,
    heartbeatIntervalMs: 20,
    subscription: () => ({ topics: ['t'], userData: Buffer.from(name), ownedPartitions: [] }),
    assign: async (peers: readonly GroupPeer[]) =>
      new Map(peers.map(({ memberId }) => [memberId, { partitions: [], userData: Buffer.from(`of ${peers.length}`) }])),
    onChange: () => undefined,
    onWarning: () => undefined,
  }
  return new ClassicGroupMember(wrap(groups.coordinator()), plainCodec, clock, options)
}

test('a member that the group has lost cannot join before it has given up what it had', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  let isFrozen = false
  const member = open(clock, groups, 'a', (inner) => ({
    ...inner,
    heartbeat: async (request) => {
      while (isFrozen) await clock.sleep(5)
      return inner.heartbeat(request)
    },
  }))
  await ahead(clock, member.join())
  isFrozen = true
  await ahead(clock, clock.sleep(150)) // longer than its session
  isFrozen = false
  await ahead(clock, clock.sleep(50))
  expect(member.isLost).toBe(true)
  expect(member.metadata).toBeNull()
  await expect(member.join()).rejects.toMatchObject({ code: 'MEMBER_LOST' })
  expect(member.isLost).toBe(true)
  member.giveUp()
  const { userData } = await ahead(clock, member.join())
  expect(userData.toString()).toBe('of 1')
  await member.leave()
})

test('a join that fails is due again', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  let failures = 1
  const member = open(clock, groups, 'a', (inner) => ({
    ...inner,
    join: async (request) => {
      if (failures-- > 0) throw new BrokerError('BROKER_UNAVAILABLE', 'no answer', { retryable: true })
      return inner.join(request)
    },
  }))
  await expect(member.join()).rejects.toThrow('no answer')
  expect(member.isRejoinDue).toBe(true)
  await ahead(clock, member.join())
  expect(member.isRejoinDue).toBe(false)
  await member.leave()
})

test('a member that leaves while it joins is no ghost: the others have the group to themselves', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  const first = open(clock, groups, 'a')
  await ahead(clock, first.join())
  // The second waits for the first, which knows with its next heartbeat.
  const second = open(clock, groups, 'b')
  const joining = second.join()
  joining.catch(() => undefined)
  await ahead(clock, second.leave())
  await expect(ahead(clock, joining)).rejects.toThrow()
  await ahead(clock, clock.sleep(50))
  const { userData } = await ahead(clock, first.join())
  expect(userData.toString()).toBe('of 1')
  await ahead(clock, clock.sleep(500))
  expect(first.isRejoinDue).toBe(false)
  await first.leave()
})

test('a member that leaves while the leader assigns is answered', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  const first = open(clock, groups, 'a', (inner) => ({
    ...inner,
    // The leader takes longer than the other's session.
    sync: async (request) => {
      await clock.sleep(130)
      return inner.sync(request)
    },
  }))
  const firstJoin = first.join()
  await ahead(clock, firstJoin)
  const second = open(clock, groups, 'b')
  const joining = second.join()
  joining.catch(() => undefined)
  await ahead(clock, clock.sleep(25))
  const again = first.join()
  again.catch(() => undefined)
  await ahead(clock, clock.sleep(10))
  await ahead(clock, second.leave())
  await expect(ahead(clock, joining)).rejects.toThrow()
  await ahead(clock, again)
  await first.leave()
})

test('one that was killed comes back under its name to what it had, and nobody else is disturbed', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  const [a, b] = [open(clock, groups, 'a'), open(clock, groups, 'b')]
  await ahead(clock, a.join())
  const [second] = await ahead(clock, Promise.all([b.join(), clock.sleep(30).then(() => a.join())]))
  await b.close() // as if killed: it does not leave
  const back = open(clock, groups, 'b')
  const again = await ahead(clock, back.join())
  expect(again.generationId).toBe(second.generationId)
  expect(again.userData.toString()).toBe('of 2')
  await ahead(clock, clock.sleep(60))
  expect(a.isRejoinDue).toBe(false)
  await back.leave()
  await ahead(clock, clock.sleep(60))
  expect(a.isRejoinDue).toBe(true)
  await a.leave()
})

test('a close does not wait for a join that is never answered', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  const member = open(clock, groups, 'a', (inner) => ({ ...inner, join: () => new Promise(() => undefined) }))
  const joining = member.join()
  const refused = expect(joining).rejects.toThrow('the member of the group was closed')
  await ahead(clock, member.leave())
  await ahead(clock, refused)
})

test('a join that arrives after its member has left is left again', async () => {
  const clock = new SimClock()
  const groups = new EmbeddedGroups(clock)
  const left: string[] = []
  const late = Promise.withResolvers<void>()
  const member = open(clock, groups, 'a', (inner) => ({
    ...inner,
    join: async (request) => {
      await late.promise
      return inner.join(request)
    },
    leave: (request) => {
      left.push(request.memberId)
      late.resolve()
      return inner.leave(request)
    },
  }))
  const refused = expect(member.join()).rejects.toThrow('the member of the group was closed')
  await ahead(clock, member.leave())
  await refused
  expect(left).toEqual(['', expect.stringMatching(/^a-/)])
  // Nobody is there for whom another would have to wait.
  const { userData } = await ahead(clock, open(clock, groups, 'b').join())
  expect(userData.toString()).toBe('of 1')
})

test('a join that is answered long after its member has left is left too, and one that was refused is not', async () => {
  for (const errorCode of [groupCode.none, groupCode.unknownMemberId]) {
    const clock = new SimClock()
    const groups = new EmbeddedGroups(clock)
    const left: string[] = []
    const answered = Promise.withResolvers<JoinAnswer>()
    const member = open(clock, groups, 'a', (inner) => ({
      ...inner,
      join: () => answered.promise,
      leave: async ({ memberId }) => {
        left.push(memberId)
        return groupCode.none
      },
    }))
    const refused = expect(member.join()).rejects.toThrow('the member of the group was closed')
    await ahead(clock, member.leave())
    await refused
    const answer = { memberId: 'a-1', generationId: 1, leaderId: 'a-1', skipsAssignment: false, peers: [] }
    answered.resolve({ errorCode, ...answer })
    await ahead(clock, clock.sleep(1))
    expect(left).toEqual(errorCode === groupCode.none ? ['', 'a-1'] : [''])
  }
})
