/** What went wrong with a request, for its sender (RFC 9457). Where things are inside is not told. */
export class Problem extends Error {
  readonly status: number
  readonly kind: string
  readonly title: string

  constructor(status: number, kind: string, title: string, detail: string) {
    super(detail)
    this.status = status
    this.kind = kind
    this.title = title
  }

  get body(): { readonly [name: string]: unknown } {
    const { kind, title, status, message } = this
    return { type: typeUri(kind), title, status, detail: message }
  }
}

const typeUri = (kind: string): string => `urn:stream-core:problem:${kind}`

export const badRequest = (detail: string): Problem =>
  new Problem(400, 'bad-request', 'The request cannot be read', detail)

export const notFound = (detail: string): Problem => new Problem(404, 'not-found', 'There is nothing here', detail)

export const keyNotFoundType = typeUri('key-not-found')
export const keyNotFound = (store: string): Problem =>
  new Problem(404, 'key-not-found', 'The key has no value', `the store "${store}" has no value there`)

export const wrongKind = (store: string, kind: string, asked: string): Problem =>
  new Problem(409, 'wrong-kind', 'The store is of another kind', `"${store}" is a ${kind} store: it has no ${asked}`)

export const notAvailable = (store: string): Problem =>
  new Problem(
    503,
    'store-not-available',
    'The store cannot be read now',
    `what was asked of "${store}" is on its way from one instance to another, being restored, or its owner does not answer; try again`,
  )
