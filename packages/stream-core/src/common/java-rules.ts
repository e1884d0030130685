/**
 * Kafka Streams to the letter, also where we do better for our users (docs/differences.md): an option of StreamsBuilder and
 * TopologyBuilder that only the conformance runner sets. A symbol that the public entry does not export, so that it is
 * nobody's option by accident.
 */
export const javaRules: unique symbol = Symbol('javaRules')

export interface JavaRules {
  readonly [javaRules]?: true
}

/** Of session windows: records later than this fail, as where Java's sum of a time and a gap overflows. */
export const failsAfterMs: unique symbol = Symbol('failsAfterMs')

export interface FailsAfter {
  readonly [failsAfterMs]?: number
}
