/** Errors over HTTP are RFC 9457 problem documents; `code` is what programs go by, and never changes its meaning. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail?: string
  readonly retryAfterSeconds?: number
}

export const problemType = 'application/problem+json'

export const problemBody = ({ status, code, title, detail }: Problem): object => ({
  type: 'about:blank',
  title,
  status,
  code,
  ...(detail === undefined ? {} : { detail }),
})
