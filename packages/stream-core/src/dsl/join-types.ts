/**
 * What a join takes depends on what its right side is. The rules stand in conditional types instead of overloads, for a call that
 * fits none of several overloads is blamed on the last of them, whatever is wrong with it. A right side that cannot be joined
 * is compared with a sentence: the compiler quotes it (D46).
 */
import type { JoinWindows } from '../operators/windows.ts'
import type { ForeignKeyJoinOptions } from './foreign-key-joins.ts'
import type { GlobalKTable } from './global-ktable.ts'
import type { JoinMistakes } from './join-mistakes.ts'
import type { KStream } from './kstream.ts'
import type { KTable } from './ktable.ts'
import type { Joined, Named, StoreOptions, StreamJoined } from './options.ts'

/* oxlint-disable no-explicit-any -- patterns: a stream or table of anything */
type AnyStream = KStream<any, any>
type AnyTable = KTable<any, any>
type AnyGlobalTable = GlobalKTable<any, any>

/** What may stand on the right side of a join. */
export type RightSide = AnyStream | AnyTable | AnyGlobalTable

/** The values of the right side of a join. */
export type RightValue<Right> =
  Right extends KStream<any, infer V2>
    ? V2
    : Right extends KTable<any, infer V2>
      ? V2
      : Right extends GlobalKTable<any, infer V2>
        ? V2
        : never

/** How two streams are joined. */
export interface StreamJoinOptions<K, V, V2> extends StreamJoined<K, V, V2> {
  /** Which records belong together: made by `joinWindows`. */
  readonly windows: JoinWindows
}

/** How a stream is joined with a global table. */
export interface GlobalJoinOptions<K, V, G> extends Named {
  /** The table's key for a record; null: none. */
  readonly mapKey: (key: K, value: V) => G | null
}

/** How two tables are joined by their keys. */
export interface TableJoinOptions<K, R> extends Named {
  readonly store?: StoreOptions<K, R>
}

/** The options of a stream's join: another stream needs `windows`, a global table `mapKey`, a table nothing. */
export type JoinOptions<K, V, Right> =
  Right extends KStream<any, infer V2>
    ? StreamJoinOptions<K, V, V2>
    : Right extends GlobalKTable<infer G, any>
      ? GlobalJoinOptions<K, V, G>
      : Joined<K, V> | undefined

/** A right side that a stream can be joined with, or a sentence that says why not. */
export type JoinableWith<K, Right> = Right extends AnyGlobalTable | KStream<K, any> | KTable<K, any>
  ? Right
  : JoinMistakes['otherKeys']

/** The same, where no options are given. */
export type JoinableAlone<K, Right> = Right extends AnyStream
  ? JoinMistakes['withoutWindows']
  : Right extends AnyGlobalTable
    ? JoinMistakes['withoutMapKey']
    : JoinableWith<K, Right>

/** As `JoinableWith`, for an outer join. */
export type OuterJoinableWith<K, Right> =
  Right extends KStream<K, any> ? Right : Right extends AnyStream ? JoinMistakes['otherKeys'] : JoinMistakes['noStream']
export type OuterJoinableAlone<Right> = Right extends AnyStream
  ? JoinMistakes['withoutWindows']
  : Right extends AnyTable | AnyGlobalTable
    ? JoinMistakes['noStream']
    : Right

/** A stream that can be merged, or a sentence that says why not. */
export type MergeableWith<K, V, Other> =
  Other extends KStream<K, V>
    ? Other
    : Other extends AnyStream
      ? 'merge() takes a stream of the same keys and values: make them alike with map() or mapValues(), or declare a union for both'
      : 'merge() takes a stream: make the table one with toStream()'

/** The options of a table's join: `foreignKey` can be left out only where both tables have keys of one type. */
export type TableOptions<K, V, Right, R> =
  Right extends KTable<infer FK, any>
    ? Right extends KTable<K, any>
      ? ForeignKeyJoinOptions<K, V, FK, R> | TableJoinOptions<K, R> | undefined
      : ForeignKeyJoinOptions<K, V, FK, R>
    : never

/** A right side that a table can be joined with, or a sentence that says why not. */
export type TableJoinableWith<Right> = Right extends AnyTable
  ? Right
  : Right extends AnyStream
    ? JoinMistakes['streamInTableJoin']
    : JoinMistakes['globalInTableJoin']

/** The same, where no options are given. */
export type TableJoinableAlone<K, Right> =
  Right extends KTable<K, any>
    ? Right
    : Right extends AnyTable
      ? JoinMistakes['otherTableKeys']
      : TableJoinableWith<Right>

/** As `TableJoinableAlone`, for an outer join. */
export type TableJoinableOuter<K, Right> =
  Right extends KTable<K, any>
    ? Right
    : Right extends AnyTable
      ? JoinMistakes['otherTableKeysOuter']
      : TableJoinableWith<Right>
