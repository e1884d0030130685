import type { Analytics } from './analytics.ts'
import type { Comparison } from './compare.ts'
import { type PollView, statusOf } from './poll-view.ts'

export const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** `GET /api/polls/:id/results`: absolute values, always with every option and region. */
export function resultBody(view: PollView, nowMs: number): object {
  return {
    poll: view.poll.id,
    status: statusOf(view, nowMs),
    asOf: iso(view.asOfMs),
    epoch: view.epoch,
    version: view.version,
    definitionHash: view.poll.definitionHash,
    closesAt: iso(view.poll.closesAtMs),
    ...(view.hiding !== null && { hidden: view.hiding }),
    voters: view.voters,
    totals: view.totals,
    ...(view.blank !== null && { blank: view.blank }),
    regions: view.regions,
    accounting: view.accounting,
    rejections: view.rejections,
  }
}

/** `GET /api/polls/:id/analytics`: what was found out beside the result. */
export function analyticsBody(view: PollView, { minutes, leads, flows, bursts }: Analytics): object {
  const { startMs, ...columns } = minutes
  return {
    poll: view.poll.id,
    asOf: iso(view.asOfMs),
    epoch: view.epoch,
    version: view.version,
    electorate: view.poll.electorate,
    rejections: view.rejections,
    minutes: { start: startMs.map(iso), ...columns },
    leads: leads.map(({ atMs, ...lead }) => ({ at: iso(atMs), ...lead })),
    flows,
    bursts: bursts.map(({ startMs: from, endMs: to, windowMs, ...burst }) => ({
      from: iso(from),
      to: iso(to),
      windowSeconds: windowMs / 1000,
      ...burst,
    })),
  }
}

/** `GET /api/polls/:id/compare`: the poll itself first. */
export const comparisonBody = ({ stepMs, elapsedMs, runs }: Comparison): object => ({
  stepSeconds: stepMs / 1000,
  elapsedSeconds: elapsedMs.map((ms) => ms / 1000),
  runs: runs.map(({ view: { poll }, voters, totals }) => ({
    poll: poll.id,
    slug: poll.slug,
    title: poll.title,
    run: poll.run,
    opensAt: iso(poll.opensAtMs),
    electorate: poll.electorate,
    options: poll.options,
    voters,
    totals,
  })),
})
