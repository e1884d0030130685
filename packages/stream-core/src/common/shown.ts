const shownCharsMax = 60

/** A value for an error message: short, with its type, so that `"5"` and `5` are told apart. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `${JSON.stringify(value.length > shownCharsMax ? `${value.slice(0, shownCharsMax)}…` : value)} (a string)`
    case 'number':
      return `${Object.is(value, -0) ? '-0' : value} (a number)`
    case 'bigint':
      return `${value}n (a bigint)`
    case 'boolean':
      return `${value} (a boolean)`
    case 'object':
      return value === null ? 'null' : shownObject(value)
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'undefined':
      return 'undefined'
  }
}

function shownObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  const name: unknown = value.constructor?.name
  return typeof name !== 'string' || name === '' || name === 'Object' ? 'a plain object' : `an object of class ${name}`
}
