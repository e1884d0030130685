import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { pipeline as pipelined } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'

/** Quick, and no more than a tenth larger than the best. */
const gzipLevel = 3

/**
 * Writes lines into a compressed file and returns their number. They come in batches; none has a line break in it. What is
 * written is on the disk when it resolves. Only its owner may read it.
 */
export async function writeSegment(path: string, batches: AsyncIterable<readonly string[]>): Promise<number> {
  let rows = 0
  async function* text(): AsyncGenerator<string> {
    for await (const lines of batches) {
      if (lines.length === 0) continue
      rows += lines.length
      yield `${lines.join('\n')}\n`
    }
  }
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true })
  await pipelined(text(), createGzip({ level: gzipLevel }), file)
  return rows
}

/** The lines of a compressed file, in batches as they come. */
export async function* readSegment(path: string): AsyncGenerator<readonly string[]> {
  const unzipped = createGunzip()
  unzipped.setEncoding('utf8')
  pipeline(createReadStream(path), unzipped, () => undefined) // a failure is thrown where the lines are read
  let rest = ''
  for await (const chunk of unzipped) {
    const lines = `${rest}${chunk as string}`.split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines
  }
  if (rest !== '') yield [rest]
}
