import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** CRC-32C (Castagnoli), the checksum of a record batch. Native: about 2.5 GB/s. */
export const crc32c = (bytes: Buffer): number => nativeCrc32c(bytes)
