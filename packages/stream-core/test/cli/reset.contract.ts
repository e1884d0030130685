import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Broker, int64, Streams, StreamsBuilder, string, type Topology } from '../../src/index.ts'
import { eventually, readAll } from '../support/log-records.ts'
import type { CliRun } from './run-cli.ts'

export interface CliHarness {
  /** Opens the log again, where a command has it for itself. */
  open(): Promise<Broker>
  /** Runs a command on the log, which is closed for it where only one may have it. */
  run(broker: Broker, ...args: string[]): Promise<CliRun>
  cleanup(): Promise<void>
}

/** What `reset` and `lag` do to an application that has run, on either log. */
export function describeResets(name: string, open: () => Promise<CliHarness>): void {
  describe(`stream-core on ${name}`, () => {
    let harness: CliHarness
    let broker: Broker
    let folder: string
    let app: string
    let counter = 0
    const running = new Set<Streams>()

    beforeAll(async () => {
      harness = await open()
    })
    afterAll(() => harness?.cleanup())
    beforeEach(async () => {
      app = `app-${process.pid}-${counter++}`
      folder = mkdtempSync(join(tmpdir(), 'cli-test-'))
      broker = await harness.open()
      await broker.admin.createTopics([
        { topic: `${app}-lines`, partitions: 2 },
        { topic: `${app}-counts`, partitions: 1 },
      ])
      return async () => {
        // Also after a failure: nothing may run on a log that is closed.
        await Promise.all([...running].map((streams) => streams.close()))
        running.clear()
        await broker.close()
        rmSync(folder, { recursive: true })
      }
    })

    const run = async (...args: string[]): Promise<CliRun> => {
      const done = await harness.run(broker, ...args)
      broker = await harness.open()
      return done
    }

    function wordCount(): Topology {
      const builder = new StreamsBuilder()
      builder
        .stream(`${app}-lines`, { key: string(), value: string() })
        .groupBy((_key, word) => word, { key: string() })
        .count({ store: { name: 'counts' } })
        .toStream()
        .to(`${app}-counts`, { value: int64() })
      return builder.build()
    }

    async function write(...words: string[]): Promise<void> {
      const producer = await broker.openProducer()
      words.forEach((word, i) => producer.append(`${app}-lines`, i % 2, null, Buffer.from(word), 1_700_000_000_000 + i))
      await producer.flush()
      await producer.close()
    }

    async function countAll(applicationId = app): Promise<Streams> {
      const streams = new Streams({
        topology: wordCount(),
        applicationId,
        broker,
        stateDir: folder,
        commitIntervalMs: 10,
      })
      running.add(streams)
      await streams.start()
      const ends = await broker.admin.listOffsets(inputs(), 'latest-stable')
      await eventually('all lines are counted', async () => {
        const committed = await broker.admin.committedOffsets(applicationId, inputs(), { requireStable: true })
        return committed.every(({ offset }, i) => offset >= ends[i]!)
      })
      await eventually(
        'what is between is read',
        () => streams.describeState().tasks.reduce((sum, { recordsProcessed }) => sum + recordsProcessed, 0) >= 6,
      )
      return streams
    }

    const inputs = () => [0, 1].map((partition) => ({ topic: `${app}-lines`, partition }))

    const counts = async (): Promise<[string, number][]> =>
      (await readAll(broker, `${app}-counts`)).map(({ key, value }) => [
        key!,
        Number(Buffer.from(value!, 'latin1').readBigInt64BE()),
      ])

    const everything = async (): Promise<unknown> => ({
      topics: [...(await broker.admin.listTopics())].sort(),
      offsets: (await broker.admin.groupOffsets(app)).map((offset) => JSON.stringify(offset)).sort(),
      state: readdirSync(join(folder, app)).filter((file) => !file.startsWith('lock')),
    })

    test('a dry run says what it would do and changes nothing; then it is done, and counting begins again', async () => {
      await write('a', 'b', 'a')
      await (await countAll()).close()
      const before = await everything()
      const dry = await run('reset', '--application-id', app, '--state-dir', folder, '--dry-run')
      expect(dry).toMatchObject({ code: 0, err: expect.stringContaining('Nothing was changed') })
      for (const said of [
        `would move ${app}-lines-0: position 2 -> 0`,
        `would move ${app}-lines-1: position 1 -> 0`,
        `would forget the position in ${app}-counts-repartition-0`,
        `would delete the internal topic ${app}-counts-changelog`,
        `would delete the internal topic ${app}-counts-repartition`,
        'would delete the state of tasks 0_0, 0_1, 1_0, 1_1',
      ]) {
        expect(dry.out).toContain(said)
      }
      expect(await everything()).toEqual(before)

      const done = await run('reset', '--application-id', app, '--state-dir', folder)
      expect(done).toMatchObject({ code: 0, err: expect.stringContaining('Done') })
      expect(done.out).toContain(`moving ${app}-lines-0: position 2 -> 0`)
      const topics = await broker.admin.listTopics()
      expect(topics.filter((topic) => topic.startsWith(app)).sort()).toEqual([`${app}-counts`, `${app}-lines`])
      expect((await broker.admin.groupOffsets(app)).map(({ topic, offset }) => [topic, offset])).toEqual([
        [`${app}-lines`, 0],
        [`${app}-lines`, 0],
      ])
      expect(existsSync(join(folder, app, '1_0'))).toBe(false)

      // The same words again, and not added to what was there: a counts 2, and not 4.
      await (await countAll()).close()
      const last = new Map(await counts())
      expect(last).toEqual(
        new Map([
          ['a', 2],
          ['b', 1],
        ]),
      )
    })

    test('reset refuses while the application runs, names the instance, and changes nothing', async () => {
      await write('a', 'b', 'a')
      const streams = await countAll()
      // It goes on committing what is between: only its inputs stand still.
      const unmoved = async () => ({
        topics: [...(await broker.admin.listTopics())].sort(),
        offsets: (await broker.admin.committedOffsets(app, inputs(), { requireStable: true })).map(
          ({ offset }) => offset,
        ),
      })
      const before = await unmoved()
      const refused = await harness.run(broker, 'reset', '--application-id', app)
      expect(refused.code).toBe(2)
      expect(refused.err).toMatch(/has instances: .*Stop them first|is held by another process/)
      if (!refused.err.includes('held by')) expect(await unmoved()).toEqual(before)
      await streams.close()
    })

    test('positions are moved to a time, or to the end, in the topics that are named', async () => {
      await write('a', 'b', 'a', 'b')
      await (await countAll(app)).close()
      const time = new Date(1_700_000_000_001).toISOString()
      const named = ['--input-topics', `${app}-lines`]
      const moved = await run('reset', '--application-id', app, ...named, '--to-datetime', time)
      expect(moved.out).toContain(`moving ${app}-lines-0: position 2 -> 1`)
      expect(moved.out).toContain(`moving ${app}-lines-1: position 2 -> 0`)
      const ended = await run('reset', '--application-id', app, '--to-latest')
      expect(ended.out).toContain(`moving ${app}-lines-0: position 1 -> 2`)
      expect(ended.err).toContain('State on disk was not looked at')
    })

    test('topics of an application whose name begins with this one are left alone', async () => {
      await write('a', 'b', 'a')
      await (await countAll(app)).close()
      await (await countAll(`${app}-next`)).close()
      const done = await run('reset', '--application-id', app)
      expect(done.out).toContain(`leaving ${app}-next-counts-changelog: it seems to be the application ${app}-next's`)
      expect(await broker.admin.listTopics()).toContain(`${app}-next-counts-changelog`)
      expect(await broker.admin.listTopics()).not.toContain(`${app}-counts-changelog`)
    })

    test('lag says how far it is behind, as text and as JSON', async () => {
      await write('a', 'b', 'a')
      await (await countAll(app)).close()
      await write('c', 'd', 'e')
      const text = await run('lag', '--application-id', app)
      expect(text).toMatchObject({ code: 0, err: expect.stringMatching(/^\d offsets behind; 0 instances\n$/) })
      expect(text.out).toMatch(new RegExp(`${app}-lines +0 +2 +4 +2 +2023-11-14T22:13:20.002Z`))
      const json = JSON.parse((await run('lag', '--application-id', app, '--json')).out)
      expect(json).toMatchObject({ applicationId: app, members: 0 })
      const own = json.partitions.filter(({ topic }: { topic: string }) => topic === `${app}-lines`)
      expect(own.map(({ lag }: { lag: number }) => lag)).toEqual([2, 1])
    })

    test('an application that is not there is named, with those that are', async () => {
      await write('a', 'b', 'a')
      await (await countAll(app)).close()
      const wrong = await run('reset', '--application-id', 'nobody')
      expect(wrong.code).toBe(1)
      expect(wrong.err).toContain('there is no application "nobody"')
      expect(wrong.err).toContain(app)
    })

    test('dead letters of an application that has run are listed, of each kind of failure, and can be sent again', async () => {
      const [input, output, dead] = [`${app}-numbers`, `${app}-small`, `${app}-dead`]
      await broker.admin.createTopics([
        { topic: input, partitions: 1 },
        { topic: output, partitions: 1, configs: { 'max.message.bytes': '1000' } },
        { topic: dead, partitions: 1 },
      ])
      const builder = new StreamsBuilder()
      builder
        .stream(input, { key: string(), value: int64() })
        .mapValues(
          (value) => {
            if (value === 13) throw new RangeError('not thirteen')
            return 'x'.repeat(value)
          },
          { name: 'repeat', value: string() },
        )
        .to(output)
      const options = { applicationId: app, broker, stateDir: folder, commitIntervalMs: 10, deadLetterTopic: dead }
      const streams = new Streams({ ...options, topology: builder.build() })
      running.add(streams)
      await streams.start()
      const producer = await broker.openProducer()
      const bytesOf = (value: number): Buffer => {
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64BE(BigInt(value))
        return bytes
      }
      const written = [bytesOf(1), Buffer.from('no number'), bytesOf(13), bytesOf(5000), bytesOf(2)]
      written.forEach((value, i) => producer.append(input, 0, Buffer.from(`k${i}`), value, 1000 + i))
      await producer.flush()
      await producer.close()
      await eventually('what is right', async () => (await readAll(broker, output)).length === 2)
      await streams.close()
      const { out, err } = await run('dead-letters', '--topic', dead)
      expect(err).toBe('3 of 3 shown\n')
      expect(out).toMatch(
        new RegExp(`from ${input}-0@1\n  SerdeError: .*is no valid int64.*\n  key    "k1"\n  value  "no number"`),
      )
      expect(out).toMatch(
        new RegExp(`from ${input}-0@2\n  ProcessingError: processor "repeat" of task 0_0 failed: not thirteen`),
      )
      expect(out).toMatch(new RegExp(`from ${input}-0@3\n  BrokerError: writing to ${output} partition 0: .*`))
      const lines = (await run('dead-letters', '--topic', dead, '--json')).out.trim().split('\n')
      const values = lines.map((line) => Buffer.from(JSON.parse(line).value, 'base64'))
      expect(values).toEqual([written[1], written[2], written[3]])
    })

    test('dead letters are listed with what happened, and nothing in them reaches the terminal unseen', async () => {
      const topic = `${app}-dead`
      await broker.admin.createTopics([{ topic, partitions: 2 }])
      const header = (name: string, text: string): [string, Buffer] => [`__streams.errors.${name}`, Buffer.from(text)]
      const producer = await broker.openProducer({ transactionalId: `${app}-dead` })
      for (let i = 0; i < 5; i++) {
        producer.append(
          topic,
          i % 2,
          Buffer.from(`key-${i}`),
          Buffer.from(i === 4 ? [0xff, 0x00] : [0x1b, 0x5b, 0x32]),
          i,
          [
            ['trace', Buffer.from('t1')],
            header('exception', 'SerdeError'),
            header('message', `no number: \u001b]0;owned\u0007 ${i}`),
            header('stacktrace', 'SerdeError: no number\n    at read'),
            header('topic', 'votes'),
            header('partition', '3'),
            header('offset', String(4711 + i)),
          ],
        )
        await producer.commit()
      }
      await producer.close()
      const listed = await run('dead-letters', '--topic', topic, '--limit', '2', '--stacktrace')
      expect(listed).toMatchObject({ code: 0, err: '2 of 5 shown\n' })
      expect(listed.out).toContain('from votes-3@4715')
      expect(listed.out).toContain('SerdeError: no number: \\u001b]0;owned\\u0007 4')
      expect(listed.out).toContain('key    "key-4"')
      expect(listed.out).toContain('value  0xff00')
      expect(listed.out).toContain('header trace  "t1"')
      expect(listed.out).toContain('at read')
      expect(listed.out).not.toContain('key-2')
      // oxlint-disable-next-line no-control-regex
      expect(listed.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
      const lines = (await run('dead-letters', '--topic', topic, '--json')).out.trim().split('\n')
      expect(lines.map((line) => JSON.parse(line).errors.offset)).toEqual(['4711', '4712', '4713', '4714', '4715'])
      const missing = await run('dead-letters', '--topic', 'nowhere')
      expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('there is no topic "nowhere"') })
    })
  })
}
