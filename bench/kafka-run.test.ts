import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Row } from './harness/row.ts'
import { workloads } from './workloads/index.ts'

function run(...options: string[]): { readonly rows: readonly Row[]; readonly complaints: string } {
  const program = join(import.meta.dirname, 'run.ts')
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...options, '--rounds', '1', '--json'], {
    encoding: 'utf8',
    env: { ...process.env, BENCH_FROM_SOURCE: '1' },
  })
  const lines = stdout.split('\n').filter((line) => line !== '')
  return { rows: lines.map((line) => JSON.parse(line) as Row), complaints: stderr }
}

/** Of each kind one: windows behind a repartition topic, a join, a restore. The other programs in Java differ little from these. */
const inJava = ['vote-count-repartition', 'join', 'restore']

test('every workload runs on us, some on Java and by hand, and what each wrote is right', { timeout: 300_000 }, () => {
  const names = workloads.map(({ name }) => name)
  const others = names.filter((name) => !inJava.includes(name))
  for (const [some, contestants] of [
    [inJava, 'stream-core,kafka-streams'],
    [others, 'stream-core'],
  ] as const) {
    const { rows, complaints } = run(...some, '--contestants', contestants, '--records', '3000')
    expect(rows, complaints).toHaveLength(some.length * contestants.split(',').length)
    for (const { contestant, workload, valid, problem } of rows)
      expect(valid, `${contestant}, ${workload}: ${problem}`).toBe(true)
  }
  const threads = run('word-count', '--contestants', 'stream-core-threads', '--records', '3000')
  expect(
    threads.rows.map(({ valid }) => valid),
    threads.complaints,
  ).toEqual([true])
  const byHand = run(
    'vote-count-repartition',
    '--contestants',
    'node-loop,raw',
    '--guarantee',
    'at-least-once',
    '--records',
    '3000',
  )
  expect(
    byHand.rows.map(({ valid }) => valid),
    byHand.complaints,
  ).toEqual([true, true])
})

test('latency and failover are measured while votes come, and every vote has its result', { timeout: 300_000 }, () => {
  const short = ['--contestants', 'stream-core', '--warm-up-seconds', '1', '--votes-per-second', '200']
  const latency = run('latency', ...short, '--seconds', '1')
  expect(
    latency.rows.map(({ valid }) => valid),
    latency.complaints,
  ).toEqual([true, true, true])
  const failover = run('failover', ...short, '--seconds', '13', '--voters', '1000')
  expect(
    failover.rows.map(({ valid }) => valid),
    failover.complaints,
  ).toEqual([true, true])
})

test('a large state is grown, measured and started on again', { timeout: 120_000 }, () => {
  const { rows, complaints } = run('stateful-large', '--contestants', 'stream-core', '--records', '5000')
  expect(
    rows.map(({ valid }) => valid),
    complaints,
  ).toEqual([true])
})
