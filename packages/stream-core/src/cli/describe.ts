import { type Command, exitCode, readArguments, UsageError } from './command.ts'
import { loadTopology } from './load-topology.ts'
import { mermaid } from '../topology/mermaid.ts'

const help = `stream-core describe <module> [options]

Prints the topology that a module exports, or that an exported function returns, in the text of Kafka Streams.

  --mermaid           as a Mermaid flowchart instead, for a page of documentation
  --lint              the traps that are in it instead; ends with 3 if there are any
  --export <name>     which export; else "topology", "default", or the only one that can be it
  --arguments <json>  what the function is called with, as a JSON array

The module is run: it should build a topology and do nothing else.`

export const describe: Command = {
  help,
  async run(args, { out, err }) {
    const { values, positionals } = readArguments('describe', args, {
      mermaid: { type: 'boolean' },
      lint: { type: 'boolean' },
      export: { type: 'string' },
      arguments: { type: 'string' },
    })
    const [path, ...others] = positionals
    if (path === undefined) throw new UsageError('the module is missing: stream-core describe <module>')
    if (others.length > 0) throw new UsageError(`one module at a time; got ${positionals.join(', ')}`)
    if (values.mermaid && values.lint)
      throw new UsageError('--mermaid and --lint print different things: give one of them')
    const topology = await loadTopology({
      path,
      exportName: values.export ?? null,
      callArguments: jsonArray(values.arguments),
    })
    if (!values.lint) {
      out(values.mermaid ? mermaid(topology) : topology.describe().trimEnd())
      return exitCode.done
    }
    const findings = topology.lint()
    for (const { rule, about, message } of findings) out(`${rule}  ${about}\n  ${message}`)
    err(findings.length === 0 ? 'no findings' : `${findings.length} finding${findings.length === 1 ? '' : 's'}`)
    return findings.length === 0 ? exitCode.done : exitCode.findings
  },
}

function jsonArray(text: string | undefined): readonly unknown[] {
  if (text === undefined) return []
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value
  } catch {
    // said below
  }
  throw new UsageError(`--arguments must be a JSON array, such as [4]; got ${JSON.stringify(text)}`)
}
