export const formatDay: (ms: number) => string
export const formatClock: (ms: number, hasSeconds: boolean) => string
export const formatTime: (ms: number, nowMs: number) => string
export function whenText(status: string, opensMs: number, closesMs: number): string
export const lineOf: (index: number) => { readonly colour: number; readonly dash: readonly number[] }
