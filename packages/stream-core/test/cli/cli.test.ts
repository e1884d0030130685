import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openEmbeddedLog } from '../../src/embedded.ts'
import { describeResets } from './reset.contract.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

describeResets('the embedded log', async () => {
  const path = join(folder, 'log.db')
  return {
    open: () => openEmbeddedLog({ path }),
    async run(broker, ...args) {
      // Held by this process while the application runs: that is a refusal, too.
      const holds = broker.admin.groupMembers(args[2]!).then((members) => members.length > 0)
      if (!(await holds)) await broker.close()
      return runCli(...args, '--embedded', path)
    },
    cleanup: async () => undefined,
  }
})

const examples = join(import.meta.dirname, '..', '..', 'examples')

describe('describe', () => {
  test('prints the topology of a module in the text of Kafka Streams', async () => {
    const { code, out } = await runCli('describe', join(examples, '01-word-count.ts'))
    expect(code).toBe(0)
    expect(out).toMatch(/^Topologies:\n {3}Sub-topology: 0\n/)
    expect(out).toContain('Sink: KSTREAM-SINK-0000000009 (topic: word-counts)')
  })

  test('prints a Mermaid flowchart in which every node, topic and store stands, whatever is in its name', async () => {
    const { code, out } = await runCli('describe', '--mermaid', join(examples, '01-word-count.ts'))
    expect(code).toBe(0)
    expect(out).toMatch(/^flowchart TD\n/)
    for (const text of ['{{"lines"}}', '[("counts")]', '{{"counts-repartition"}}:::internal'])
      expect(out).toContain(text)
    const path = join(folder, 'odd.ts')
    const index = join(import.meta.dirname, '..', '..', 'src', 'index.ts')
    writeFileSync(
      path,
      `import { StreamsBuilder, string } from ${JSON.stringify(index)}
       const builder = new StreamsBuilder({ defaults: { key: string(), value: string() } })
       builder.stream(/in"]<b>#1/).filter(() => true)
       export default builder.build()`,
    )
    expect((await runCli('describe', '--mermaid', path)).out).toContain('{{"/in#34;]#60;b#62;#35;1/"}}')
  })

  test('--lint prints the traps and ends with 3 if there are any', async () => {
    expect(await runCli('describe', '--lint', join(examples, '01-word-count.ts'))).toMatchObject({ code: 0, out: '' })
    const path = join(folder, 'unnamed.ts')
    const index = join(import.meta.dirname, '..', '..', 'src', 'index.ts')
    writeFileSync(
      path,
      `import { StreamsBuilder, string } from ${JSON.stringify(index)}
       export function build(unused) {
         const builder = new StreamsBuilder({ defaults: { key: string(), value: string() } })
         builder.stream('in' + unused).groupByKey().count()
         return builder.build()
       }`,
    )
    const { code, out } = await runCli('describe', '--lint', path, '--export', 'build', '--arguments', '["x"]')
    expect(code).toBe(3)
    expect(out).toContain('generated-name')
    expect((await runCli('describe', path, '--arguments', '["x"]')).out).toContain('(topics: [inx])')
  })
})

describe('what is wrong is named, with the way out', () => {
  const module = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const usage: readonly (readonly [words: string, args: readonly string[]])[] = [
    ['there is no command "rest"; there are describe, lag, reset, dead-letters', ['rest']],
    ['the module is missing', ['describe']],
    ['there is no such file', ['describe', 'nowhere.ts']],
    ['--mermaid and --lint', ['describe', 'x.ts', '--mermaid', '--lint']],
    ["Unknown option '--formt'", ['lag', '--formt', 'x']],
    ['--application-id is missing', ['lag', '--embedded', 'x']],
    ['no log is named', ['lag', '--application-id', 'a']],
    ['name two logs', ['lag', '--application-id', 'a', '--embedded', 'x', '--bootstrap-servers', 'h:1']],
    ['--embedded "nowhere.db": there is no such file', ['lag', '--application-id', 'a', '--embedded', 'nowhere.db']],
    ['--application-id is empty', ['lag', '--application-id', '', '--embedded', 'x']],
    ['--application-id "../x" is none', ['reset', '--application-id', '../x', '--embedded', 'x']],
    ['--application-id ".." is none', ['reset', '--application-id', '..', '--embedded', 'x']],
    ['"app" is no option of "reset"', ['reset', 'app']],
    ['--to-earliest and --to-latest: give one', ['reset', '--application-id', 'a', '--to-latest', '--to-earliest']],
    ['--to-datetime "tomorrow" is no time', ['reset', '--application-id', 'a', '--to-datetime', 'tomorrow']],
    [
      '--to-datetime "2026-02-30T10:00" is no time',
      ['reset', '--application-id', 'a', '--to-datetime', '2026-02-30T10:00'],
    ],
    ['--input-topics "a,,b" has an empty name', ['reset', '--application-id', 'a', '--input-topics', 'a,,b']],
    ['--limit must be a whole number, 1 or more; got "0"', ['dead-letters', '--topic', 'd', '--limit', '0']],
    ['--arguments must be a JSON array', ['describe', 'x.ts', '--arguments', '{}']],
  ]
  test.each(usage)('%s', async (words, args) => {
    const { code, err, out } = await runCli(...args)
    expect({ code, out }).toEqual({ code: 64, out: '' })
    expect(err).toContain(words)
    expect(err.trim().split('\n')).toHaveLength(1)
  })

  test('a module without a topology, with several, or with a builder', async () => {
    expect((await runCli('describe', module('none.ts', 'export const a = 1'))).err).toContain(
      'say it with --export. It exports a',
    )
    const builder = module('builder.ts', 'export const topology = { build() {} }')
    expect((await runCli('describe', builder)).err).toContain('a builder: export what its build() returns')
    expect((await runCli('describe', builder, '--export', 'x')).err).toContain('--export "x"')
  })

  test('a broker that cannot be reached ends with 1 and a sentence', async () => {
    const { code, err } = await runCli('lag', '--application-id', 'a', '--bootstrap-servers', 'no-port')
    expect({ code, err }).toEqual({
      code: 1,
      err: 'stream-core: INVALID_CONFIG: "no-port" is no broker address: expected host:port\n',
    })
  })

  test('--help of every command', async () => {
    expect(await runCli('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes') })
    for (const name of ['describe', 'lag', 'reset', 'dead-letters']) {
      expect(await runCli(name, '--help')).toMatchObject({
        code: 0,
        out: expect.stringContaining(`stream-core ${name}`),
      })
    }
    expect(await runCli()).toMatchObject({ code: 64 })
  })
})
