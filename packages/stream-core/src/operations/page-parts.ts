import type { SubtopologyView } from './topology-view.ts'

/** How something is meant: shown by colour too, but said by the text. */
export type Tone = 'good' | 'attention' | 'trouble' | 'quiet'

export interface Cell {
  readonly text: string
  readonly tone?: Tone
  /** To the right, with figures of one width. */
  readonly isNumber?: boolean
  /** From 0 to 1: how far something has come, beside the text. */
  readonly done?: number
  /** A small line of numbers beside the text, the newest last. */
  readonly line?: readonly number[]
}

export interface Table {
  readonly kind: 'table'
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** Instead of a table without rows. */
  readonly empty: string
  /** The page shows the first so many, the text all of them. */
  readonly rowsOnPage?: number
  /** The page shows it when it is asked to. */
  readonly isFolded?: boolean
}

/**
 * What the page and the text twin are both made of: neither can have what the other has not. Only what is drawn, `graph` and `squares`, stands beside
 * a table that says the same.
 */
export type Part =
  | Table
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  | {
      readonly kind: 'findings'
      readonly findings: readonly { readonly tone: Tone; readonly text: string; readonly advice: string }[]
    }
  | {
      readonly kind: 'figures'
      readonly figures: readonly { readonly name: string; readonly value: Cell; readonly note: string }[]
    }
  | { readonly kind: 'graph'; readonly subtopologies: readonly SubtopologyView[] }
  | { readonly kind: 'squares'; readonly label: string; readonly groups: readonly SquareGroup[] }
  | {
      readonly kind: 'keyForm'
      readonly stores: readonly { readonly name: string; readonly keys: string }[]
      readonly store: string
      readonly key: string
    }

/** A square for each task. */
export interface SquareGroup {
  readonly label: string
  readonly squares: readonly { readonly title: string; readonly tone: Tone }[]
}

export interface Section {
  readonly id: string
  readonly title: string
  readonly parts: readonly Part[]
}

export interface PageContent {
  readonly title: string
  /** In one line: what is asked first. */
  readonly verdict: { readonly tone: Tone; readonly text: string }
  /** Whose view that is, and of when. */
  readonly about: string
  readonly sections: readonly Section[]
}

export const plain = (text: string): Cell => ({ text })
export const quiet = (text: string): Cell => ({ text, tone: 'quiet' })
export const figure = (text: string): Cell => ({ text, isNumber: true })
