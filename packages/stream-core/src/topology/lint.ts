import type { TopologyParts } from './topology.ts'

/** A trap in a topology that is legal. */
export interface TopologyFinding {
  readonly rule: 'generated-name' | 'suppress-needs-input' | 'emit-final-retention' | 'no-changelog'
  /** The node, store or topic it is about. */
  readonly about: string
  /** What happens, and what to do. */
  readonly message: string
}

/** Findings are data: print them, or fail a test on them. */
export function lintTopology(topology: TopologyParts): readonly TopologyFinding[] {
  const findings: TopologyFinding[] = []
  for (const { kind, name } of topology.generatedNames) {
    if (kind === 'changelog') continue // named after its store, which is reported
    findings.push({
      rule: 'generated-name',
      about: name,
      message:
        `the ${kind === 'store' ? 'store' : 'repartition topic'} "${name}" has a generated name, which changes when an ` +
        'operator is added before it: its state would be lost. Give it a name',
    })
  }
  for (const store of topology.stores) {
    if (store.kind === 'suppressBuffer') {
      findings.push({
        rule: 'suppress-needs-input',
        about: store.name,
        message:
          `what "${store.name}" holds back leaves only when a later record arrives in the same partition: ` +
          'on an idle topic the last results stay in it',
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
