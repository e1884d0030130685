import * as oidc from 'openid-client'

export interface OidcOptions {
  readonly issuer: string
  readonly clientId: string
  /** null: a public client, which PKCE protects all the same. */
  readonly clientSecret: string | null
  readonly scope: string
  /** What the provider is called on the pages. */
  readonly name: string
  /** Who may organise polls: a claim and its value, or everybody whom the provider knows. */
  readonly organisers: ClaimCondition | 'everybody'
  /** Plain HTTP to the provider: for development. */
  readonly allowsHttp: boolean
}

export interface ClaimCondition {
  readonly claim: string
  readonly value: string
}

/** Who somebody is, on the word of the provider. */
export interface OidcIdentity {
  readonly issuer: string
  readonly subject: string
  readonly claims: { readonly [claim: string]: unknown }
}

/** What has to be kept between the way to the provider and the way back. */
export interface OidcChecks {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

const claimTypes: ReadonlySet<string> = new Set(['string', 'number', 'boolean'])

/** Whether somebody has a claim: as a text, a number or a truth, or as one of a list. */
export function hasClaim({ claims }: Pick<OidcIdentity, 'claims'>, { claim, value }: ClaimCondition): boolean {
  if (!Object.hasOwn(claims, claim)) return false
  return [claims[claim]].flat().some((given) => claimTypes.has(typeof given) && String(given) === value)
}

/** `claim=value`, or `*` for everybody. null: it is neither. */
export function parseOrganisers(text: string): OidcOptions['organisers'] | null {
  if (text === '*') return 'everybody'
  const [, claim, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
  return claim === undefined || value === undefined ? null : { claim, value }
}

/** Signing in through an OpenID provider: authorisation code with PKCE, state and nonce. */
export class OidcSignIn {
  readonly name: string
  readonly #options: OidcOptions
  #configuration: Promise<oidc.Configuration> | null = null

  constructor(options: OidcOptions) {
    this.#options = options
    this.name = options.name
  }

  isOrganiser(identity: OidcIdentity): boolean {
    const { organisers } = this.#options
    return organisers === 'everybody' || hasClaim(identity, organisers)
  }

  /** Where to send the browser, and what to keep until it comes back. Rejects if the provider does not answer. */
  async begin(redirectUri: string): Promise<{ readonly url: string; readonly checks: OidcChecks }> {
    const configuration = await this.#discovered()
    const checks = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      codeVerifier: oidc.randomPKCECodeVerifier(),
    }
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: this.#options.scope,
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
      code_challenge_method: 'S256',
    })
    return { url: url.href, checks }
  }

  /** Who has come back. Rejects if anything does not fit: nothing is believed then. */
  async end(callbackUrl: string, checks: OidcChecks): Promise<OidcIdentity> {
    const configuration = await this.#discovered()
    const tokens = await oidc.authorizationCodeGrant(configuration, new URL(callbackUrl), {
      pkceCodeVerifier: checks.codeVerifier,
      expectedState: checks.state,
      expectedNonce: checks.nonce,
      idTokenExpected: true,
    })
    const claims = tokens.claims()!
    // Many providers put no more than the subject into the token.
    const more = configuration.serverMetadata().userinfo_endpoint
      ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
      : {}
    return { issuer: claims.iss, subject: claims.sub, claims: { ...more, ...claims } }
  }

  /** Asked once; again if the provider did not answer. */
  #discovered(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret, allowsHttp } = this.#options
    if (!this.#configuration) {
      const isHttp = allowsHttp && issuer.startsWith('http:')
      this.#configuration = oidc.discovery(
        new URL(issuer),
        clientId,
        undefined,
        clientSecret === null ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
        isHttp ? { execute: [oidc.allowInsecureRequests] } : {},
      )
      this.#configuration.catch(() => (this.#configuration = null))
    }
    return this.#configuration
  }
}
