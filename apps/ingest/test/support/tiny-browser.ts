/** As much of a browser as signing in needs: cookies by origin, redirects, and forms without scripts. */
export class TinyBrowser {
  readonly #jars = new Map<string, Map<string, string>>()
  /** Where it is. */
  url = ''
  status = 0
  text = ''
  /** A redirect to an address that begins so is not followed: `url` is then where it leads. */
  holdsAt: string | null = null

  async goto(url: string): Promise<this> {
    return this.#load(url, { method: 'GET' })
  }

  /** Sends the first form of the page whose action contains `of`, with its hidden fields and these. */
  async submit(fields: Record<string, string> = {}, of = ''): Promise<this> {
    for (const [, tag = '', inner = ''] of this.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)) {
      const action = new URL(unescaped(attribute(tag, 'action') ?? this.url), this.url).href
      if (!action.includes(of)) continue
      const body = new URLSearchParams()
      for (const [input] of inner.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
        body.append(attribute(input, 'name')!, unescaped(attribute(input, 'value') ?? ''))
      }
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      return this.#load(action, { method: 'POST', body })
    }
    throw new Error(`no form "${of}" on ${this.url}: ${this.text}`)
  }

  /** The cookie header for an address. */
  cookies(url: string): string {
    return [...(this.#jars.get(new URL(url).host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  async #load(url: string, request: { method: string; body?: URLSearchParams }): Promise<this> {
    const headers: Record<string, string> = { cookie: this.cookies(url), 'user-agent': 'TinyBrowser' }
    if (request.method === 'POST') headers['origin'] = new URL(url).origin
    const response = await fetch(url, { ...request, headers, redirect: 'manual' })
    const jar = this.#jars.get(new URL(url).host) ?? new Map<string, string>()
    this.#jars.set(new URL(url).host, jar)
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(cookie)) jar.delete(name)
      else jar.set(name, value)
    }
    const location = response.headers.get('location')
    if (location !== null && response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      const next = new URL(location, url).href
      if (this.holdsAt === null || !next.startsWith(this.holdsAt)) return this.#load(next, { method: 'GET' })
      this.url = next
      this.text = ''
      return this
    }
    this.url = url
    this.status = response.status
    this.text = await response.text()
    return this
  }
}

const attribute = (tag: string, name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1]

const unescaped = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
