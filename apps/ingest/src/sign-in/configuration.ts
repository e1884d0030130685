import type { Environment } from '@voting/election/environment'
import { ConfigError } from 'stream-core'
import type { ingestVariables } from '../config.ts'
import type { MailOptions } from './mailer.ts'
import { type OidcOptions, parseOrganisers } from './oidc.ts'

type IngestEnvironment = Environment<typeof ingestVariables>

/** The provider as the environment names it, or null. Throws a ConfigError for one that is named by half. */
export function oidcOptions(environment: IngestEnvironment, isProduction: boolean): OidcOptions | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_ORGANISERS: organisers } = environment
  if (issuer === null) return null
  if (clientId === null) throw new ConfigError('OIDC_CLIENT_ID', 'OIDC_CLIENT_ID is required with OIDC_ISSUER')
  const allowed = organisers === null ? null : parseOrganisers(organisers)
  if (allowed === null) {
    throw new ConfigError(
      'OIDC_ORGANISERS',
      `OIDC_ORGANISERS is ${JSON.stringify(organisers)}, expected claim=value, as groups=organisers, or * for everybody at the provider`,
    )
  }
  if (isProduction && !issuer.startsWith('https:')) {
    throw new ConfigError('OIDC_ISSUER', `OIDC_ISSUER is ${JSON.stringify(issuer)}, expected https in production`)
  }
  return {
    issuer,
    clientId,
    clientSecret: environment.OIDC_CLIENT_SECRET,
    scope: environment.OIDC_SCOPE,
    name: environment.OIDC_NAME,
    organisers: allowed,
    allowsHttp: !isProduction,
  }
}

/** Throws a ConfigError where nobody could ever organise a poll. */
export function checkOrganisersCanEnter(
  { organiserToken, hasOidc }: { readonly organiserToken: string | null; readonly hasOidc: boolean },
  isProduction: boolean,
): void {
  if (organiserToken === '') throw new ConfigError('ORGANISER_TOKEN', 'ORGANISER_TOKEN is empty: anybody could sign in')
  if (!isProduction || organiserToken !== null || hasOidc) return
  throw new ConfigError(
    'ORGANISER_TOKEN',
    'nobody could organise polls: in production set ORGANISER_TOKEN, with which organisers are invited, or OIDC_ISSUER',
  )
}

/** The mail server as the environment names it, or null. Throws a ConfigError without a sender. */
export function mailOptions({ SMTP_URL: smtpUrl, MAIL_FROM: from }: IngestEnvironment): MailOptions | null {
  if (smtpUrl === null) return null
  if (from === null) throw new ConfigError('MAIL_FROM', 'MAIL_FROM is required with SMTP_URL')
  return { smtpUrl, from }
}
