import type { Logger } from '../common/logger.ts'
import type { Topology } from '../topology/topology.ts'

/**
 * Names that were made up change when an operator is added before them, and the state behind them is lost: said once, at the
 * start (KIP-1111). `requireExplicitNames` of the builder refuses them instead.
 */
export function warnOfGeneratedNames(topology: Topology, logger: Logger): void {
  const names = topology.generatedNames.filter(({ kind }) => kind !== 'changelog').map(({ name }) => name)
  if (names.length === 0) return
  logger.warn(
    { event: 'topology.generated-names', names },
    `${names.length} names of stores or repartition topics were made up and will change with the topology: ${names.join(', ')}. ` +
      'Name the operators they belong to',
  )
}
