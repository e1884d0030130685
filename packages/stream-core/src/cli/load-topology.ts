import type { Topology } from '../topology/topology.ts'
import { UsageError } from './command.ts'
import { importFile } from './open-log.ts'

export interface LoadTopologyOptions {
  readonly path: string
  /** Which export it is; null: `topology`, `default`, or the only one that can be it. */
  readonly exportName: string | null
  /** What it is called with, if it is a function. */
  readonly callArguments: readonly unknown[]
}

const isTopology = (value: unknown): value is Topology =>
  Array.isArray((value as Topology | null | undefined)?.nodes) && typeof (value as Topology).describe === 'function'

/** The topology that a module exports, or builds. */
export async function loadTopology({ path, exportName, callArguments }: LoadTopologyOptions): Promise<Topology> {
  const loaded = (await importFile('the module', path)) as { readonly [name: string]: unknown }
  const name = exportName ?? choose(loaded, path)
  if (!Object.hasOwn(loaded, name)) {
    throw new UsageError(`--export ${JSON.stringify(name)}: ${path} exports ${listed(loaded)}`)
  }
  const exported = loaded[name]
  const built: unknown =
    typeof exported === 'function'
      ? await (exported as (...given: readonly unknown[]) => unknown)(...callArguments)
      : exported
  if (isTopology(built)) return built
  const isBuilder = typeof (built as { readonly build?: unknown } | null)?.build === 'function'
  throw new UsageError(
    `"${name}" of ${path} is no topology${isBuilder ? ' but a builder: export what its build() returns' : ''}; ` +
      'give one, or a function that returns one',
  )
}

function choose(loaded: { readonly [name: string]: unknown }, path: string): string {
  for (const name of ['topology', 'default']) if (Object.hasOwn(loaded, name)) return name
  const ready = Object.keys(loaded).filter((name) => isTopology(loaded[name]))
  const possible = ready.length > 0 ? ready : Object.keys(loaded).filter((name) => typeof loaded[name] === 'function')
  const [only, ...others] = possible
  if (only !== undefined && others.length === 0) return only
  throw new UsageError(
    `it is not clear which export of ${path} is the topology: say it with --export. It exports ${listed(loaded)}`,
  )
}

const listed = (loaded: object): string => Object.keys(loaded).join(', ') || 'nothing'
