import { ArgumentError } from './errors.ts'

/** Checks what the compiler checks too, for programs without one: a word that nobody knows would be ignored. */
export function oneOf<T extends string>(argument: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw new ArgumentError(argument, `${argument} must be '${allowed.join("' or '")}', got ${JSON.stringify(value)}`)
}

/** As `oneOf`, for the names of options: a misspelt one would be ignored. */
export function knownOptions(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw new ArgumentError(name, `${what} knows no option "${name}"; it knows ${known.join(', ')}`)
    }
  }
}
