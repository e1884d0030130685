import type { Streams } from '../runtime/streams.ts'
import { type KeyExplanation, KeyExplainer, type KeyFindings } from './explain-key.ts'
import { type GroupDescription, groupDescription } from './group-description.ts'
import { GroupWatch } from './group-watch.ts'
import type { InstanceReport } from './instance-report.ts'
import { NewestDeadLetters } from './newest-dead-letters.ts'
import { type CheckedOptions, checkedOptions, type OperationsOptions } from './options.ts'
import { Sampler } from './sampler.ts'

/**
 * Describes a whole application from one of its instances: what the operations page is made of, for programs that want the data. The others are
 * asked at their endpoints, where they serve `operationsHandler` with the same path.
 */
export class Operations {
  readonly #streams: Streams
  readonly #options: CheckedOptions
  readonly #sampler: Sampler
  readonly #watch: GroupWatch
  readonly #letters: NewestDeadLetters
  readonly #explainer: KeyExplainer

  /** Reads counters from now on, until the instance stops. Throws an ArgumentError that names the option. */
  constructor(streams: Streams, options: OperationsOptions = {}) {
    const checked = checkedOptions(options)
    const { config } = streams.metricsSource
    this.#streams = streams
    this.#options = checked
    this.#sampler = new Sampler(() => streams.metricsSource, checked.sampleMs)
    void streams.stopped.then(() => this.#sampler.stop())
    this.#watch = new GroupWatch(streams, this.#sampler, checked)
    const showsAll = checked.showValues === true
    this.#letters = new NewestDeadLetters(config.broker, config.clock, config.deadLetterTopic, showsAll)
    this.#explainer = new KeyExplainer(streams, this.#watch, checked)
  }

  /** Takes as long as the slowest instance, `timeoutMs` at most. What goes wrong with others is in what it says of them. */
  async describe(key?: { readonly store: string; readonly key: string }): Promise<GroupDescription> {
    const [instances, deadLetters, explained] = await Promise.all([
      this.#watch.instances(),
      this.#letters.look(),
      key === undefined ? null : this.explain(key.store, key.key),
    ])
    return groupDescription({
      streams: this.#streams,
      instances,
      deadLetters,
      explained,
      delayMs: this.#options.delayMs,
    })
  }

  /** Where a key is, and what is known of it there. `key` as people type it. */
  explain(store: string, key: string): Promise<KeyExplanation> {
    return this.#explainer.explain(store, key)
  }

  /** @internal What this instance says of itself. */
  own(): InstanceReport {
    return this.#watch.own()
  }

  /** @internal What this instance has of a key. */
  explainHere(store: string, key: string): KeyFindings {
    return this.#explainer.local(store, key)
  }
}
