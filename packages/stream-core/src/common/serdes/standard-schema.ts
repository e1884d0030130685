import { ArgumentError } from '../errors.ts'
import { json } from './json.ts'
import { shown } from '../shown.ts'
import type { Serde } from './serde.ts'

/**
 * A validator: Standard Schema v1 (https://standardschema.dev), as far as it is used here. zod from 3.24, valibot from
 * 1.0, arktype from 2.0 and others implement it; their schemas are passed as they are.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** The library's name. */
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** There for the compiler only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a validator answers: a value, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  /** From the value down to what is wrong; none for the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema takes in and what it makes of it; they differ where it transforms. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['input']
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output']

export interface SchemaOptions<S extends StandardSchema = StandardSchema> {
  /**
   * Validates what is written too. The value is checked and then written as it is: defaults are not filled in and unknown
   * members are not taken out. Only for schemas that take what they give; one that transforms would refuse its own output.
   */
  readonly validateWrites?: SchemaOutput<S> extends SchemaInput<S> ? boolean : false
}

/** The serde below a schema: it has to write what the schema gives; what it reads is validated. */
export interface InnerSerde<T> extends Omit<Serde<T>, 'read' | 'fromLatin1'> {
  read(...range: Parameters<Serde<T>['read']>): unknown
}

/**
 * Validates what another serde reads, JSON if none is named, so that bad input becomes an error instead of a wrong result.
 * A value's type is the schema's output type. The bytes and the name are the other serde's: adding a schema changes no
 * topic and no store.
 *
 *     const orders = builder.stream('orders', { key: string(), value: schema(z.object({ price: z.number() })) })
 *
 * Reading throws the inner serde's errors, and a TypeError that names the library and says for each issue where and what
 * (`order.items[2].price: expected number`), with the issues as its `cause`. Writing throws the inner serde's errors, and
 * the same TypeError if `validateWrites` is set. A validator that answers with a promise is refused with an ArgumentError
 * at the first record, because processing is synchronous (D10); it cannot be told from its schema. What is no Standard
 * Schema v1 is refused with an ArgumentError at once.
 */
export function schema<S extends StandardSchema>(
  validator: S,
  inner: InnerSerde<SchemaOutput<S>> = json(),
  options: SchemaOptions<S> = {},
): Serde<SchemaOutput<S>> {
  const standard = (validator as Partial<StandardSchema> | null | undefined)?.['~standard']
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new ArgumentError(
      'validator',
      `schema() needs a Standard Schema v1 (of zod, valibot, arktype, …), got ${shown(validator)}`,
    )
  }
  const validateWrites = options.validateWrites === true
  const serde: Serde<SchemaOutput<S>> = {
    name: inner.name,
    write(value, out, context) {
      if (validateWrites) validated(standard, value)
      inner.write(value, out, context)
    },
    read: (source, start, end, context) => validated(standard, inner.read(source, start, end, context)),
  }
  validators.set(serde, standard)
  return serde
}

const validators = new WeakMap<object, unknown>()

/** Whether two serdes make the same values of the same bytes: those of one name, unless a schema looks at only one of them. */
export const readAlike = (a: Serde<unknown>, b: Serde<unknown>): boolean =>
  a.name === b.name && validators.get(a) === validators.get(b)

function validated(standard: StandardSchema['~standard'], value: unknown): unknown {
  const result = standard.validate(value)
  if (isPromise(result)) {
    // Nobody waits for it: its rejection must not end the process.
    result.then(undefined, () => {})
    throw new ArgumentError(
      'validator',
      `the ${standard.vendor} schema validates asynchronously, and records are processed synchronously: ` +
        `take out what is async, or check it before the records are written`,
    )
  }
  if (result.issues) {
    throw new TypeError(`the ${standard.vendor} schema refuses it: ${listed(result.issues)}`, { cause: result.issues })
  }
  return result.value
}

const isPromise = <T>(result: T | Promise<T>): result is Promise<T> =>
  typeof (result as Partial<Promise<T>>).then === 'function'

const issuesShownMax = 10

function listed(issues: readonly SchemaIssue[]): string {
  const lines = issues.slice(0, issuesShownMax).map(({ path, message }) => {
    const where = path === undefined ? '' : pathText(path)
    return where === '' ? message : `${where}: ${message}`
  })
  if (issues.length > issuesShownMax) lines.push(`and ${issues.length - issuesShownMax} more`)
  return lines.join('; ')
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/** As one would write it in JavaScript: `order.items[2].price`, `["first name"]`. */
function pathText(path: NonNullable<SchemaIssue['path']>): string {
  let text = ''
  for (const segment of path) {
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'number') text += `[${key}]`
    else if (typeof key === 'symbol') text += `[${String(key)}]`
    else if (!identifier.test(key)) text += `[${JSON.stringify(key)}]`
    else text += text === '' ? key : `.${key}`
  }
  return text
}
