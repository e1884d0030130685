import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../common/errors.ts'
import { segmentIntervalMs, type StoreSpec } from '../state/store-spec.ts'
import type { Topology } from '../topology/topology.ts'

/** What the bytes of a store mean: a change of it makes what is stored, and what is in the changelog, something else. */
interface Meaning {
  readonly kind: string
  readonly key: string
  readonly value: string
  readonly [detail: string]: string | number | boolean
}

interface StoredStore {
  readonly meaning: Meaning
  /** How rows lie in the file: state of another layout is restored from the changelog. */
  readonly layout: number
}

interface Manifest {
  readonly version: 1
  readonly stores: { readonly [name: string]: StoredStore }
  /** Of global stores, with the topics they are read from. */
  readonly globals?: { readonly [name: string]: StoredStore }
}

/**
 * Compares the topology with the one whose state is in the folder, and notes it there. A store that has become something else
 * under its old name is a ConfigError: its old rows and its changelog would be read as what they are not. True: rows lie
 * differently now, so that what is on disk cannot be used.
 */
export function checkStateManifest(folder: string, topology: Topology): boolean {
  const path = join(folder, 'topology.json')
  const known = read(path)
  const now = Object.fromEntries(topology.stores.map((spec) => [spec.name, describe(spec)]))
  let isMoved = false
  for (const [name, store] of Object.entries(now)) {
    const before = known.stores[name]
    if (before === undefined) continue
    const change = changeOf(before.meaning, store.meaning)
    if (change !== null) {
      throw new ConfigError(
        'topology',
        `the store "${name}" has state of another kind: ${change}. Give the store another name, reset the application, or use another applicationId`,
      )
    }
    isMoved ||= before.layout !== store.layout
  }
  const globals = describeGlobals(topology)
  // Their topics are the user's: what is kept of them is read anew when it means something else.
  if (JSON.stringify(known.globals ?? {}) !== JSON.stringify(globals)) {
    rmSync(join(folder, 'global'), { recursive: true, force: true })
  }
  // Stores that are not in the topology any more may come back: their changelogs are still there.
  const manifest: Manifest = { version: 1, stores: { ...known.stores, ...now }, globals }
  writeFileSync(`${path}.new`, `${JSON.stringify(manifest, null, 2)}\n`)
  renameSync(`${path}.new`, path)
  return isMoved
}

function describeGlobals({ globalStores, nodes }: Topology): { readonly [name: string]: StoredStore } {
  const topicsOf = (store: string): string =>
    nodes
      .filter((node) => node.kind === 'processor' && node.stores.includes(store))
      .flatMap((node) => (node.kind === 'processor' ? node.parents : []))
      .flatMap((parent) => nodes.flatMap((node) => (node.kind === 'source' && node.name === parent ? node.topics : [])))
      .sort()
      .join()
  const described = globalStores.map((spec): [string, StoredStore] => {
    const { meaning, layout } = describe(spec)
    return [spec.name, { meaning: { ...meaning, topics: topicsOf(spec.name) }, layout }]
  })
  return Object.fromEntries(described.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function describe(spec: StoreSpec): StoredStore {
  const meaning: { [detail: string]: string | number | boolean } & Meaning = {
    kind: spec.kind,
    key: spec.key.name,
    value: spec.value.name,
  }
  let layout = 0
  if (spec.kind === 'keyValue' || spec.kind === 'window') meaning['timestamped'] = spec.timestamped
  if (spec.kind === 'window') {
    meaning['windowSizeMs'] = spec.windowSizeMs
    meaning['retainDuplicates'] = spec.retainDuplicates
  }
  if (spec.kind === 'window' || spec.kind === 'session') layout = segmentIntervalMs(spec.retentionMs)
  if (spec.kind === 'versioned') layout = spec.segmentIntervalMs
  return { meaning, layout }
}

function changeOf(before: Meaning, now: Meaning): string | null {
  for (const detail of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (before[detail] !== now[detail]) return `its ${detail} was ${before[detail]} and is ${now[detail]}`
  }
  return null
}

/** A file that cannot be read says nothing: the state beside it is what it is. */
function read(path: string): Manifest {
  const nothing: Manifest = { version: 1, stores: {} }
  if (!existsSync(path)) return nothing
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Manifest
    return found.version === 1 ? found : nothing
  } catch {
    return nothing
  }
}
