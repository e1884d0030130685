import { readFileSync } from 'node:fs'

/** `number` is a whole one; `oneOf` has its `values`; `name` is what Kafka takes for a topic or a group. */
type Kind = 'text' | 'postgresUrl' | 'httpUrl' | 'smtpUrl' | 'endpoint' | 'name' | 'oneOf' | 'number' | 'flag'

export interface Variable {
  readonly kind: Kind
  readonly description: string
  /** Absent: the variable is required, unless `optional`. */
  readonly fallback?: string
  readonly optional?: true
  /** Optional, but not with `NODE_ENV=production`. */
  readonly requiredInProduction?: true
  /** Never printed; may also be given as `<NAME>_FILE`, the path of a file that holds it. */
  readonly secret?: true
  readonly min?: number
  readonly max?: number
  readonly values?: readonly string[]
}

/** How much an app says. */
export const logLevel = {
  kind: 'oneOf',
  values: ['debug', 'info', 'warn', 'error'],
  fallback: 'info',
  description: 'debug, info, warn or error',
} as const satisfies Variable

/** How long an app may take to stop. */
export const shutdownTimeoutSeconds = {
  kind: 'number',
  fallback: '40',
  min: 1,
  max: 3600,
  description: 'How long it may take to finish what is under way when it is stopped; a supervisor should wait longer',
} as const satisfies Variable

export const databaseUrl = {
  kind: 'postgresUrl',
  secret: true,
  description: 'PostgreSQL, as postgresql://user:password@host:port/database',
} as const satisfies Variable

export type Variables = { readonly [name: string]: Variable }

type Value<V extends Variable> =
  | (V['kind'] extends 'number' ? number : V['kind'] extends 'flag' ? boolean : string)
  | (V extends { optional: true } ? null : never)

export type Environment<V extends Variables> = { readonly [Name in keyof V]: Value<V[Name]> }

/** What is wrong with the environment: every mistake at once. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
}

/** Reads and checks variables. Throws an EnvironmentError that names each one that is missing or wrong, and the way out. */
export function readEnvironment<const V extends Variables>(
  variables: V,
  source: { readonly [name: string]: string | undefined } = process.env,
): Environment<V> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, variable] of Object.entries(variables)) {
    try {
      values[name] = readVariable(name, variable, source)
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  if (problems.length > 0) throw new EnvironmentError(problems.join('\n'))
  return Object.freeze(values) as Environment<V>
}

function readVariable(
  name: string,
  variable: Variable,
  source: { readonly [name: string]: string | undefined },
): unknown {
  const text = given(name, variable, source) ?? variable.fallback
  if (text === undefined) {
    if (variable.requiredInProduction && source['NODE_ENV'] === 'production') {
      throw new Error(`${name} is required with NODE_ENV=production: ${variable.description}`)
    }
    if (variable.optional) return null
    throw new Error(`${name} is required: ${variable.description}`)
  }
  const shown = variable.secret ? '(secret)' : JSON.stringify(text)
  if (variable.kind === 'flag') {
    if (text === 'true' || text === '1') return true
    if (text === 'false' || text === '0' || text === '') return false
    throw new Error(`${name} is ${shown}, expected true or false`)
  }
  const { expected, isValid } = textKinds[variable.kind] ?? listed(variable)
  if (variable.kind !== 'number') {
    if (isValid(text)) return text
    throw new Error(`${name} is ${shown}, expected ${expected}`)
  }
  const number = Number(text)
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = variable
  if (!/^-?\d+$/.test(text) || number < min || number > max) {
    throw new Error(`${name} is ${shown}, expected a whole number from ${min} to ${max}`)
  }
  return number
}

interface TextKind {
  readonly expected: string
  readonly isValid: (text: string) => boolean
}

const hasProtocol = (text: string, ...protocols: string[]): boolean =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol)

const textKinds: { readonly [kind in Kind]?: TextKind } = {
  text: { expected: 'a text', isValid: () => true },
  postgresUrl: {
    expected: 'an address such as postgresql://user:password@host:port/database',
    isValid: (text) => hasProtocol(text, 'postgres:', 'postgresql:'),
  },
  httpUrl: {
    expected: 'an address such as https://host/path',
    isValid: (text) => hasProtocol(text, 'http:', 'https:'),
  },
  smtpUrl: {
    expected: 'an address such as smtp://user:password@host:587',
    isValid: (text) => hasProtocol(text, 'smtp:', 'smtps:'),
  },
  endpoint: {
    expected: 'an address such as host:9101',
    isValid: (text) => {
      const port = Number(/^(?:[\w.-]{1,253}|\[[\da-fA-F:.]{2,45}\]):(\d{1,5})$/.exec(text)?.[1] ?? 0)
      return port > 0 && port < 65_536
    },
  },
  name: {
    expected: 'a name of 1 to 200 of A-Z a-z 0-9 . _ -',
    isValid: (text) => /^(?!\.{1,2}$)[\w.-]{1,200}$/.test(text),
  },
}

const listed = ({ values = [] }: Variable): TextKind => ({
  expected: `one of ${values.join(', ')}`,
  isValid: (text) => values.includes(text),
})

function given(
  name: string,
  variable: Variable,
  source: { readonly [name: string]: string | undefined },
): string | undefined {
  const direct = source[name]
  if (direct !== undefined && direct !== '') return direct
  const path = variable.secret ? source[`${name}_FILE`] : undefined
  if (path === undefined || path === '') return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new Error(`${name}_FILE is ${JSON.stringify(path)}, which cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
  // An empty secret would be one that everybody knows.
  if (text === '') throw new Error(`${name}_FILE is ${JSON.stringify(path)}, which is empty`)
  return text
}

/** The variables as a Markdown table: the documentation is made from what the code reads. */
export function environmentTable(variables: Variables): string {
  const rows = Object.entries(variables).map(([name, { description, fallback, optional, secret }]) => {
    const value = fallback === undefined ? (optional ? '' : '**required**') : `\`${fallback || ' '}\``
    return `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${value} | ${description} |`
  })
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

/** The variables as plain text, for --help. */
export function environmentHelp(variables: Variables): string {
  const entries = Object.entries(variables).map(([name, { description, fallback, optional, secret }]) => {
    const value = fallback === undefined ? (optional ? 'optional' : 'required') : fallback && `default: ${fallback}`
    return `  ${name}${secret ? `, or ${name}_FILE` : ''}${value && ` (${value})`}\n      ${description}`
  })
  return `Environment:\n${entries.join('\n')}`
}
