/** Values to bytes and back: the one file through which everything else names serdes. */
export { boolean } from './serdes/boolean.ts'
export { bytes } from './serdes/bytes.ts'
export { float32, float64 } from './serdes/floats.ts'
export { int16, int32, int64, int64Big } from './serdes/integers.ts'
export { json, type JsonSerde } from './serdes/json.ts'
export { list, type ListOptions } from './serdes/list.ts'
export type { Serde, SerdeContext } from './serdes/serde.ts'
export {
  readAlike,
  schema,
  type SchemaInput,
  type SchemaIssue,
  type SchemaOptions,
  type SchemaOutput,
  type StandardSchema,
} from './serdes/standard-schema.ts'
export { string } from './serdes/string.ts'
export { uuid } from './serdes/uuid.ts'
export { voidSerde } from './serdes/void.ts'
