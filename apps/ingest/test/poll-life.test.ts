import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from 'stream-core'
import type { ControlEvent } from '@voting/election/events'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { recount } from '../../tally/src/recount.ts'
import { BallotLog } from '../src/ballot-log.ts'
import { OrganiserDesk } from '../src/organiser-desk.ts'
import { PollControl } from '../src/poll-control.ts'
import { PollRepository } from '../src/poll-repository.ts'
import { VoterRoll } from '../src/voter-roll.ts'
import { controlRecords } from './support/control-records.ts'
import { createByForm, newOrganiser, type OrganiserClient } from './support/organiser-client.ts'
import { type Answer, newNonce, openTestIngest, organiser, send, type TestIngest } from './support/running-ingest.ts'

let system: TestIngest
let mary: OrganiserClient
beforeAll(async () => {
  system = await openTestIngest()
  mary = await newOrganiser(system, 'Mary')
})
afterAll(() => system.close())
afterEach(() => {
  system.log.fault = 'none'
})

const url = (path: string): string => `${system.ingest.url}${path}`
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

interface Created {
  readonly id: string
  readonly slug: string
  readonly definitionHash: string
}

async function create(terms: object = {}): Promise<Created> {
  const { status, body } = await send(url('/api/polls'), { ...system.definition(), ...terms }, organiser)
  expect(status).toBe(201)
  return body as unknown as Created
}
const act = (id: string, action: string, body: object = {}): Promise<Answer> =>
  send(url(`/api/polls/${id}/${action}`), body, organiser)
async function change(id: string, terms: object, base = system.ingest.url): Promise<{ status: number; body: object }> {
  const response = await fetch(`${base}/api/polls/${id}`, {
    method: 'PUT',
    headers: { ...organiser, 'content-type': 'application/json' },
    body: JSON.stringify({ ...system.definition(), ...terms }),
  })
  return { status: response.status, body: (await response.json()) as object }
}
async function codeOf(id: string): Promise<string> {
  return ((await act(id, 'codes', { count: 1 })).body['codes'] as string[])[0]!
}
const cast = (id: string, code: string): Promise<Answer> =>
  send(url(`/api/polls/${id}/ballots`), { code, option: 'a', nonce: newNonce() })
const types = async (id: string): Promise<string[][]> =>
  (await controlRecords(system, id)).map((records) => records.map(({ type }) => type))
async function history(
  id: string,
): Promise<{ kind: string; actor_id: string | null; is_public: boolean; details: Record<string, unknown> }[]> {
  const sql = 'SELECT kind, actor_id, is_public, details FROM poll_events WHERE poll_id = $1 ORDER BY id'
  return (await system.database.pool.query(sql, [id])).rows
}

test('a draft is nowhere but with its owner; published it is open, as it was last changed', async () => {
  const draft = await create({ draft: true, title: 'Secret plan' })
  expect((await fetch(url(`/p/${draft.slug}`))).status).toBe(404)
  expect((await cast(draft.id, 'x')).body['code']).toBe('unknown-poll')
  expect(await (await fetch(url('/'))).text()).not.toContain('Secret plan')
  const code = await codeOf(draft.id)
  for (const [action, body] of [
    ['close', {}],
    ['clone', {}],
    ['extend', { closesAt: inMs(9e6), reason: 'x' }],
  ] as const) {
    expect((await act(draft.id, action, body)).body).toMatchObject({ status: 409, code: 'draft' })
  }
  expect(await types(draft.id)).toEqual([[], []])
  const changed = await change(draft.id, { title: 'Public plan' })
  expect(changed.status).toBe(200)
  expect((changed.body as Created).definitionHash).not.toBe(draft.definitionHash)
  const published = await act(draft.id, 'publish')
  expect(published.status).toBe(200)
  // It was to be open for an hour and a second, and is from now on.
  const { opensAt, closesAt } = published.body as { opensAt: string; closesAt: string }
  expect(Date.parse(closesAt) - Date.parse(opensAt)).toBeGreaterThan(3_600_000)
  expect((await cast(draft.id, code)).status).toBe(201)
  for (const [open] of await controlRecords(system, draft.id)) {
    expect(open).toMatchObject({ type: 'open', rules: { definitionHash: (changed.body as Created).definitionHash } })
  }
  expect((await act(draft.id, 'publish')).body['code']).toBe('no-draft')
})

test('what voters decide on is frozen once the poll is open, also for its page', async () => {
  const { id } = await create()
  expect((await change(id, { title: 'Other' })).body).toMatchObject({ status: 409, code: 'frozen' })
  const hers = await createByForm(mary)
  const edit = await mary.post(`/organiser/polls/${hers}/edit`, { title: 'Other', options: 'X\nY', hours: '2' })
  expect(edit.status).toBe(409)
  expect(await edit.text()).toContain('Clone it to ask anew')
  const { rows } = await system.database.pool.query('SELECT title FROM polls WHERE id = ANY ($1)', [[id, hers]])
  expect(rows.map(({ title }) => title)).toEqual(['Which?', 'Which?'])
})

test('a draft that is changed while it is being published is published as it was changed', async () => {
  const draft = await create({ draft: true, opensAt: inMs(60_000) })
  const { pool } = system.database
  const polls = new PollRepository(pool)
  const producer = await system.log.openProducer({ deliveryTimeoutMs: 5000 })
  const control = new PollControl(polls, new BallotLog(producer, 2, silentLogger, () => {}), silentLogger)
  const before = (await polls.findOwned(draft.id, 'operator'))!
  const [opensAt, closesAt] = [inMs(120_000), inMs(240_000)]
  const changed = (await change(draft.id, { title: 'Changed', opensAt, closesAt })).body as Created
  await new OrganiserDesk(polls, control, new VoterRoll(pool)).publishPoll(before, 'operator')
  await producer.close()
  const { rows } = await pool.query('SELECT opens_at, closes_at FROM polls WHERE id = $1', [draft.id])
  expect(rows.map((row) => [row.opens_at.toISOString(), row.closes_at.toISOString()])).toEqual([[opensAt, closesAt]])
  expect((await history(draft.id)).at(-1)).toMatchObject({
    kind: 'published',
    details: { definitionHash: changed.definitionHash },
  })
})

test('a poll that is changed before it opens opens as it was changed, whatever another process remembers', async () => {
  const other = await system.another()
  const { id, slug } = await create({ opensAt: inMs(60_000) })
  await fetch(`${other.url}/p/${slug}`) // now it remembers the first definition
  const changed = await change(id, { title: 'Changed', opensAt: inMs(60_000) })
  expect(changed.status).toBe(200)
  const closed = await send(`${other.url}/api/polls/${id}/close`, {}, organiser)
  expect(closed.status).toBe(200)
  await other.close()
  for (const records of await controlRecords(system, id)) {
    // Two schedulers may each write what is due: the tally takes the first of an event, and all of one say the same.
    const [open, close, ...others] = new Map(records.map((record) => [record.eventId, record])).values()
    expect(open).toMatchObject({ type: 'open', rules: { definitionHash: (changed.body as Created).definitionHash } })
    expect([close?.type, others]).toEqual(['close', []])
    for (const record of records.filter(({ type }) => type === 'open')) {
      expect(record).toMatchObject({ rules: { definitionHash: (changed.body as Created).definitionHash } })
    }
  }
  expect((await change(id, { opensAt: inMs(60_000) })).body).toMatchObject({ status: 409 })
})

test('a region in which codes were issued cannot be taken away: their ballots would count where nobody looks', async () => {
  const { id } = await create({ draft: true, regions: ['north', 'south'] })
  await act(id, 'codes', { count: 2, region: 'south' })
  expect((await change(id, { regions: ['north'] })).body).toMatchObject({ status: 409, code: 'region-in-use' })
  expect((await change(id, { regions: ['south', 'west'] })).status).toBe(200)
})

test('an extension is in every partition with the new close, is public with its reason, and keeps the poll open', async () => {
  const { id } = await create({ closesAt: inMs(60_000) })
  const code = await codeOf(id)
  const closesAt = inMs(3_600_000)
  expect((await act(id, 'extend', { closesAt })).body).toMatchObject({ status: 400, code: 'malformed' })
  expect((await act(id, 'extend', { closesAt: inMs(-1), reason: 'x' })).body['code']).toBe('not-later')
  expect((await act(id, 'extend', { closesAt: inMs(1000), reason: 'x' })).body['code']).toBe('not-later')
  const extended = await act(id, 'extend', { closesAt, reason: 'The hall was locked' })
  expect([extended.status, extended.body]).toEqual([200, { id, closesAt }])
  for (const records of await controlRecords(system, id)) {
    expect(records.map(({ type, eventId }) => [type, eventId])).toEqual([
      ['open', `${id}:open`],
      ['extend', `${id}:extend:1`],
    ])
    expect((records[1] as ControlEvent & { type: 'extend' }).closesAt).toBe(Date.parse(closesAt))
  }
  expect((await history(id)).at(-1)).toMatchObject({
    kind: 'extended',
    actor_id: 'operator',
    is_public: true,
    details: { to: closesAt, reason: 'The hall was locked' },
  })
  const { rows } = await system.database.pool.query('SELECT closes_at FROM polls WHERE id = $1', [id])
  expect(rows[0].closes_at.toISOString()).toBe(closesAt)
  expect((await cast(id, code)).status).toBe(201)
})

test('a form that extends and is sent twice extends once', async () => {
  const id = await createByForm(mary)
  const page = await mary.page(`/organiser/polls/${id}`)
  const fields = { extra_hours: '1', reason: 'Rain', closes_at: /name="closes_at" value="(\d+)"/.exec(page)![1]! }
  const statuses = [await mary.post(`/organiser/polls/${id}/extend`, fields)]
  statuses.push(await mary.post(`/organiser/polls/${id}/extend`, fields))
  expect(statuses.map(({ status }) => status)).toEqual([303, 409])
  expect((await history(id)).filter(({ kind }) => kind === 'extended')).toHaveLength(1)
})

test('a form whose opening no clock will ever show is refused with its value', async () => {
  const fields = { title: 'X', options: 'A\nB', hours: '48', revote: 'first', opens: '+275760-09-12T23:00' }
  const answer = await mary.post('/organiser/polls', fields)
  expect([answer.status, (await answer.text()).includes('+275760-09-12T23:00')]).toEqual([400, true])
})

test('an extension that the log did not confirm holds all the same, and is written as soon as the log answers', async () => {
  const { id } = await create()
  system.log.fault = 'not-written'
  const answer = await act(id, 'extend', { closesAt: inMs(7_200_000), reason: 'x' })
  expect(answer.body).toMatchObject({ status: 503, code: 'unconfirmed' })
  system.log.fault = 'none'
  await expect
    .poll(() => types(id), { timeout: 5000 })
    .toEqual([
      ['open', 'extend'],
      ['open', 'extend'],
    ])
})

test('a closed poll is neither extended nor changed; who closed it is noted, and nobody where it was time', async () => {
  const now = await create()
  const onTime = await create({ closesAt: inMs(400) })
  await act(now.id, 'close')
  expect((await act(now.id, 'extend', { closesAt: inMs(9e6), reason: 'x' })).body['code']).toBe('closed')
  expect((await change(now.id, {})).body).toMatchObject({ status: 409 })
  const closes = async (id: string) => (await history(id)).filter(({ kind }) => kind === 'closed')
  await expect.poll(() => closes(onTime.id), { timeout: 5000 }).toHaveLength(1)
  expect(await closes(onTime.id)).toMatchObject([{ actor_id: null, is_public: true }])
  expect(await closes(now.id)).toMatchObject([{ actor_id: 'operator', details: { planned: expect.any(String) } }])
})

test('who closes a poll that was extended a moment ago ends it all the same: no ballot is taken that could not count', async () => {
  const { id } = await create({ closesAt: inMs(60_000) })
  const polls = new PollRepository(system.database.pool)
  const producer = await system.log.openProducer({ deliveryTimeoutMs: 5000 })
  const log = new BallotLog(producer, 2, silentLogger, () => {})
  const before = { ...(await polls.findOwned(id, 'operator'))!, closesAtMs: Date.now() - 1 }
  await new PollControl(polls, log, silentLogger).close(before, 'operator')
  await producer.close()
  const { rows } = await system.database.pool.query('SELECT closes_at <= now() AS over FROM polls WHERE id = $1', [id])
  expect(rows).toEqual([{ over: true }])
  expect((await history(id)).at(-1)).toMatchObject({ kind: 'closed', actor_id: 'operator' })
})

test('everything that is done to a poll is noted once, with who did it', async () => {
  const draft = await createByForm(mary, { save_as: 'draft' })
  await mary.post(`/organiser/polls/${draft}/edit`, { title: 'B', options: 'X\nY', hours: '2' })
  await mary.post(`/organiser/polls/${draft}/publish`)
  await mary.post(`/organiser/polls/${draft}/codes`, { count: '3' })
  await mary.post(`/organiser/polls/${draft}/extend`, { extra_hours: '0.5', reason: 'Rain' })
  await mary.post(`/organiser/polls/${draft}/close`, { confirm: 'close' })
  const events = await history(draft)
  expect(events.map(({ kind, actor_id }) => [kind, actor_id])).toEqual([
    ['created', mary.id],
    ['changed', mary.id],
    ['published', mary.id],
    ['opened', null],
    ['codes-issued', mary.id],
    ['extended', mary.id],
    ['closed', mary.id],
  ])
  const page = await mary.page(`/organiser/polls/${draft}`)
  expect(page).toMatch(/Extended from .* UTC to .* UTC: Rain \(Mary\)/)
  expect(page).toMatch(/3 voter codes issued \(Mary\)/)
})

test('a clone is the next run of its series, a draft with voters of its own', async () => {
  const first = await create()
  const code = await codeOf(first.id)
  const second = (await act(first.id, 'clone')).body as unknown as Created
  expect(second.definitionHash).toBe(first.definitionHash)
  await act(second.id, 'publish')
  expect((await cast(second.id, code)).body['code']).toBe('bad-code')
  const third = (await act(second.id, 'clone')).body as unknown as Created
  const { rows } = await system.database.pool.query(
    'SELECT id, coalesce(series_id, id) AS series, clone_of, run, is_draft FROM polls WHERE id = ANY ($1) ORDER BY run',
    [[first.id, second.id, third.id]],
  )
  expect(rows).toEqual([
    { id: first.id, series: first.id, clone_of: null, run: 1, is_draft: false },
    { id: second.id, series: first.id, clone_of: first.id, run: 2, is_draft: false },
    { id: third.id, series: first.id, clone_of: second.id, run: 3, is_draft: true },
  ])
  // Two at once become two runs.
  await Promise.all([act(first.id, 'clone'), act(first.id, 'clone')])
  const runs = await system.database.pool.query('SELECT run FROM polls WHERE series_id = $1 ORDER BY run', [first.id])
  expect(runs.rows.map(({ run }) => run)).toEqual([2, 3, 4, 5])
})

test('a draft can be discarded, with its codes, and a poll cannot', async () => {
  const draft = await createByForm(mary, { save_as: 'draft' })
  await mary.post(`/organiser/polls/${draft}/codes`, { count: '3' })
  expect((await mary.post(`/organiser/polls/${draft}/discard`)).headers.get('location')).toBe('/organiser')
  expect((await mary.get(`/organiser/polls/${draft}`)).status).toBe(404)
  const poll = await createByForm(mary)
  expect((await mary.post(`/organiser/polls/${poll}/discard`)).status).toBe(409)
  expect((await mary.get(`/organiser/polls/${poll}`)).status).toBe(200)
})

test('the form says everything that a poll can be, and a change keeps the ids of options that stay', async () => {
  const id = await createByForm(mary, {
    save_as: 'draft',
    options: 'Red\nGreen\nBlue',
    max_choices: '2',
    allow_blank: 'yes',
    visible: 'from',
    visible_from: '12',
    eligibility: 'link',
  })
  const kept = async () => (await system.database.pool.query('SELECT * FROM polls WHERE id = $1', [id])).rows[0]
  expect(await kept()).toMatchObject({
    max_choices: 2,
    allow_blank: true,
    results_visible: { from: 12 },
    eligibility: { kind: 'link' },
    is_draft: true,
  })
  const page = await mary.page(`/organiser/polls/${id}`)
  expect(page).toContain('Up to 2 choices per ballot. Blank ballots are allowed.')
  expect(page).toContain('Results are visible from 12 voters, or after the close.')
  expect(page).toContain('Indicative: anyone with the link may take part.')
  const form = await mary.page(`/organiser/polls/${id}/edit`)
  expect(form).toContain('Red\nGreen\nBlue')
  expect(form).toMatch(/name="visible" value="from"\s+checked/)
  await mary.post(`/organiser/polls/${id}/edit`, { title: 'C', options: 'Blue\nWhite\nRed', hours: '1' })
  expect((await kept()).options).toEqual([
    { id: 'o3', label: 'Blue' },
    { id: 'o4', label: 'White' },
    { id: 'o1', label: 'Red' },
  ])
  const wrong = await mary.post(`/organiser/polls/${id}/edit`, { title: 'C', options: 'A\nB', max_choices: '3' })
  expect([wrong.status, (await wrong.text()).includes('Choices per ballot must be a whole number from 1')]).toEqual([
    400,
    true,
  ])
})

test('what voters did over an extension, second ballots and the close is counted, and a recount says the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'poll-life-'))
  const { id } = await create({ revote: 'last', maxChoices: 2, allowBlank: true })
  const codes = (await act(id, 'codes', { count: 3, region: 'north' })).body['codes'] as string[]
  const vote = (voter: number, ...choices: string[]) =>
    send(url(`/api/polls/${id}/ballots`), { code: codes[voter], choices, nonce: newNonce() })
  for (const answer of [await vote(0, 'a', 'b'), await vote(1), await vote(2, 'b')]) expect(answer.status).toBe(201)
  await act(id, 'extend', { closesAt: inMs(7_200_000), reason: 'Rain' })
  for (const answer of [await vote(1, 'a'), await vote(2)]) expect(answer.status).toBe(201)
  await act(id, 'close')
  expect((await vote(0, 'a')).status).toBe(410)
  const live = { applicationId: 'tally', stateDir: join(folder, 'state') }
  const { polls } = await recount({ broker: system.log, logger: silentLogger, live })
  rmSync(folder, { recursive: true })
  expect(polls.filter(({ isEqual }) => !isEqual)).toEqual([])
  expect(polls.find(({ poll }) => poll === id)?.published).toMatchObject({
    status: 'final',
    voters: 3,
    totals: { a: 2, b: 1 },
    blank: 1,
    regions: { north: { a: 2, b: 1 } },
    accounting: { recorded: 5, accepted: 3, superseded: 2, rejected: 0, duplicates: 0 },
  })
})
