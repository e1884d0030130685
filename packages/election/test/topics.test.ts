import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from 'stream-core'
import { openEmbeddedLog } from 'stream-core/embedded'
import { expect, test } from 'vitest'
import { provideTopics, topics, topicSpecs } from '../src/topics.ts'

test('the first app decides how many partitions the topics have; another goes by that, and says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'topics-test-'))
  const broker = await openEmbeddedLog({ path: join(folder, 'log.db') })
  const warnings: object[] = []
  const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) }
  await provideTopics(broker, 8, logger)
  await broker.admin.deleteTopics([topics.results])
  await provideTopics(broker, 8, logger)
  expect(warnings).toEqual([])
  await broker.admin.deleteTopics([topics.results])
  await provideTopics(broker, 4, logger)
  expect(warnings).toMatchObject([{ topic: 'ballots', asked: 4, found: 8 }])
  const described = await broker.admin.describeTopics(topicSpecs(8).map(({ topic }) => topic))
  expect([...described.values()].map(({ topic, partitionCount }) => [topic, partitionCount])).toEqual(
    topicSpecs(8).map(({ topic, partitions }) => [topic, partitions]),
  )
  await broker.close()
  rmSync(folder, { recursive: true })
})
