import { readFileSync } from 'node:fs'

/** `number` is a whole one. */
type Kind = 'text' | 'url' | 'number' | 'flag'

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
}

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
  if (variable.kind === 'text') return text
  if (variable.kind === 'url') {
    if (URL.canParse(text)) return text
    throw new Error(`${name} is ${shown}, expected an address such as scheme://host:port/path`)
  }
  const number = Number(text)
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = variable
  if (!/^-?\d+$/.test(text) || number < min || number > max) {
    throw new Error(`${name} is ${shown}, expected a whole number from ${min} to ${max}`)
  }
  return number
}

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
