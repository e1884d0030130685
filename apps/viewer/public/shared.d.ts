import type { Message } from '@voting/election/messages'

export interface Words {
  readonly say: (key: string, values?: { readonly [name: string]: string | number }) => string
  readonly number: (n: number) => string
  readonly signed: (n: number) => string
  readonly percent: (share: number) => string
  readonly percents: (share: number) => string
  readonly day: (ms: number) => string
  readonly dayAndMinute: (ms: number) => string
  readonly clock: (ms: number, hasSeconds: boolean) => string
  readonly moment: (ms: number, nowMs: number) => string
  readonly ago: (ms: number) => string
  readonly elapsed: (ms: number) => string
  readonly when: (status: string, opensMs: number, closesMs: number) => string
  readonly lead: (
    options: readonly { readonly id: string; readonly label: string }[],
    totals: { readonly [option: string]: number },
  ) => string
}
export function createWords(locale: string, messages: { readonly [key: string]: Message }): Words
export const lineOf: (index: number) => { readonly colour: number; readonly dash: readonly number[] }
export const othersLine: { readonly colour: number; readonly dash: readonly number[] }
export const chosenLines: (text: string | null | undefined, count: number) => number[] | null
export const splitLines: (
  votes: readonly number[],
  chosen: readonly number[] | null,
  drawn?: readonly number[],
) => { own: number[]; rest: number[] }
export interface Findings {
  readonly lead: (lead: { atMs: number; from: string | null; to: string; margin: number; voters: number }) => string
  readonly flow: (flow: { from: string; to: string; voters: number }) => string
  readonly rejection: (rejection: [reason: string, count: number]) => string
  readonly burst: (burst: {
    startMs: number
    endMs: number
    recorded: number
    usual: number
    windowMs: number
  }) => string
}
export function createFindings(
  words: Words,
  options: readonly { readonly id: string; readonly label: string }[],
  nowMs: number,
): Findings
