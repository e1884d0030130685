import type { TopologyParts } from './topology.ts'

/** A trap in a topology that is legal. */
export interface TopologyFinding {
  readonly rule: 'generated-name' | 'suppress-needs-input' | 'emit-final-retention' | 'no-changelog'
  /** The node, store or topic it is about. */
  readonly about: string
  /** What happens, and what to do. */
  readonly message: string
}

const nameOption = {
  store: '`store: { name }`, or `storeName` of a join of streams, or `name` of a suppress',
  repartition: '`name` of groupBy, groupByKey, repartition or the join',
}

/** Findings are data: print them, or fail a test on them. */
export function lintTopology(topology: TopologyParts): readonly TopologyFinding[] {
  const findings: TopologyFinding[] = []
  const globals = new Set(topology.globalStores.map(({ name }) => name))
  const names = topology.generatedNames
  for (const generated of names) {
    const kind = generated.kind === 'repartition' ? 'repartition' : 'store'
    const name = generated.kind === 'changelog' ? generated.name.replace(/-changelog$/, '') : generated.name
    // A changelog is named after its store, which is reported; a global store is read anew at every start.
    if (generated.kind === 'changelog' && names.some((other) => other.kind === 'store' && other.name === name)) continue
    if (globals.has(name)) continue
    findings.push({
      rule: 'generated-name',
      about: name,
      message:
        `the ${kind === 'store' ? 'store' : 'repartition topic'} "${name}" has a generated name, which changes when an ` +
        `operator is added before it: its state would be lost. Name it: option ${nameOption[kind]}`,
    })
  }
  for (const store of topology.stores) {
    if (store.kind === 'suppressBuffer') {
      findings.push({
        rule: 'suppress-needs-input',
        about: store.name,
        message:
          `what "${store.name}" holds back leaves only when a later record arrives in the same partition: ` +
          'on an idle topic the last results stay in it. If they may not wait, write a record to each partition from time to time',
      })
    }
    if (store.kind === 'window' && store.emitFinal && store.retentionMs < store.windowSizeMs * 2) {
      findings.push({
        rule: 'emit-final-retention',
        about: store.name,
        message:
          `"${store.name}" keeps windows for ${store.retentionMs} ms: a record further ahead than that makes closed windows ` +
          'vanish before they are emitted. Give the store a larger retention',
      })
    }
    if (store.logging === null && !topology.sourceChangelogs.has(store.name)) {
      findings.push({
        rule: 'no-changelog',
        about: store.name,
        message: `"${store.name}" has no changelog: its content is lost with the disk, and when its task moves`,
      })
    }
  }
  return findings
}
