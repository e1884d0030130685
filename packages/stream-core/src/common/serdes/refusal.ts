import { CastError } from '../cast-error.ts'
import { shown } from '../shown.ts'

/** The error for a value of another type than the serde's. */
export const wrongType = (serde: string, needed: string, value: unknown, where = ''): CastError =>
  new CastError(`${serde} needs ${needed}, got ${shown(value)}${where}`)

/** The error for a value of the right type that the serde's bytes cannot hold. */
export const outOfRange = (serde: string, needed: string, value: unknown): RangeError =>
  new RangeError(`${serde} needs ${needed}, got ${shown(value)}`)

/** The error for a range of bytes that has not the serde's size. */
export const wrongSize = (serde: string, needed: number, size: number): RangeError =>
  new RangeError(`${serde} needs ${needed} ${needed === 1 ? 'byte' : 'bytes'}, got ${size}`)
