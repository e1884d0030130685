import { expect, test } from 'vitest'
import { runChaos } from './chaos.ts'

// Ten minutes of it: `node packages/stream-core/test/chaos/main.ts 600 <seed>`.
test('a minute of chaos on Kafka, three instances: every record counts once', { timeout: 300_000 }, async () => {
  const seed = Number(process.env['CHAOS_SEED'] ?? 1)
  const report = await runChaos({
    seed,
    durationMs: 60_000,
    instances: 3,
    log: (text) => process.stdout.write(`${text}\n`),
  })
  // As one text, because CI shows only the first line of what failed.
  const found = [`lost ${report.lost}, doubled ${report.doubled}`, ...report.wrong, ...report.failures]
  expect(found.join('; '), `seed ${seed}`).toBe('lost 0, doubled 0')
  expect(report.written).toBeGreaterThan(1000)
  expect(Object.keys(report.faults).length).toBeGreaterThan(2)
})
