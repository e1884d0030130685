import { gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { BrokerError } from './errors.ts'

/** The compression bits of a record batch's attributes, by number. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CompressionName = (typeof compressionNames)[number]

/** How batches are packed and unpacked; an adapter whose client brings more formats passes its own. */
export interface Compression {
  compress(name: CompressionName, bytes: Buffer): Buffer
  decompress(name: CompressionName, bytes: Buffer): Buffer
}

const unsupported = (name: CompressionName): never => {
  throw new BrokerError('CORRUPT_LOG', `compression "${name}" is not available here`, { retryable: false })
}

/** What Node itself can do. */
export const nodeCompression: Compression = {
  compress: (name, bytes) => (name === 'zstd' ? zstdCompressSync(bytes) : unsupported(name)),
  decompress: (name, bytes) =>
    name === 'zstd' ? zstdDecompressSync(bytes) : name === 'gzip' ? gunzipSync(bytes) : unsupported(name),
}
