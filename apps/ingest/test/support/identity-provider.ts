import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import type { OidcOptions } from '../../src/sign-in/oidc.ts'
import type { TinyBrowser } from './tiny-browser.ts'

/** A user whom the provider knows. */
export interface ProviderUser {
  name: string
  readonly groups: readonly string[]
}

const clientSecret = 'a-secret-of-the-test'

/** A real OpenID provider on this machine, with users whose password is anything. */
export class IdentityProvider {
  readonly issuer: string
  readonly users: Map<string, ProviderUser>
  readonly #server: Server
  #handle: ReturnType<Provider['callback']> | null = null

  private constructor(server: Server, users: Record<string, ProviderUser>) {
    const { port } = server.address() as AddressInfo
    this.#server = server
    this.issuer = `http://127.0.0.1:${port}`
    this.users = new Map(Object.entries(users))
    server.on('request', (request, response) => {
      if (this.#handle) void this.#handle(request, response)
      else response.writeHead(503).end()
    })
  }

  /** Has an address, and answers nobody until `serve`. */
  static async reserve(users: Record<string, ProviderUser>): Promise<IdentityProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new IdentityProvider(server, users)
  }

  /** What an app is configured with to use it. */
  options(organisers: OidcOptions['organisers']): OidcOptions {
    return {
      issuer: this.issuer,
      clientId: 'voting',
      clientSecret,
      scope: 'openid profile groups',
      name: 'Example City',
      organisers,
      allowsHttp: true,
    }
  }

  serve(callbackUrl: string): void {
    const provider = new Provider(this.issuer, {
      clients: [{ client_id: 'voting', client_secret: clientSecret, redirect_uris: [callbackUrl] }],
      claims: { openid: ['sub'], profile: ['name'], groups: ['groups'] },
      pkce: { required: () => true },
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      findAccount: (_context, id) => {
        const user = this.users.get(id)
        return user && { accountId: id, claims: async () => ({ sub: id, ...user, groups: [...user.groups] }) }
      },
    })
    // What it warns of concerns production.
    this.#handle = provider.callback()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Logs in at the provider's page and consents; the browser is then wherever the app has sent it. */
export async function logIn(browser: TinyBrowser, login: string): Promise<TinyBrowser> {
  await browser.submit({ login, password: 'anything' }, '/interaction/')
  return browser.text.includes('/interaction/') ? browser.submit({}, '/interaction/') : browser
}
