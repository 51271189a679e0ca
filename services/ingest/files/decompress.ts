/**
 * Bytes of a file as they were before it was compressed: gzip and zstd, told by their first bytes, not by the file's name.
 *
 * Whatever could be read before an error comes out first: node's streams drop what they hold when they fail, so the decompressors are
 * driven by hand, one chunk at a time, and emptied after each. Several members (gzip) or frames (zstd) in a row are one stream.
 */
import { createGunzip, createZstdDecompress } from 'node:zlib'

import { errorMessage } from '#lib/errors.ts'

/** What a stream could not give. */
export interface CutOff {
  /** In words: what is wrong with the compressed file. */
  readonly problem: string
}

export type ByteChunk = Buffer | CutOff

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b])
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const MAGIC_BYTES = 4

/** Decompressed bytes that one step hands out at a time. */
const OUTPUT_CHUNK_BYTES = 256 * 1024
/** So large that a decompressor never waits for its reader in the middle of a chunk: the reader empties it after each. */
const NEVER_FULL_BYTES = 2 ** 30

const OPTIONS = { chunkSize: OUTPUT_CHUNK_BYTES, readableHighWaterMark: NEVER_FULL_BYTES } as const

type Decompressor = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>

/** A decompressor with the one error it may have met. */
interface Running {
  readonly stream: Decompressor
  error: Error | undefined
  wake: () => void
}

function start(create: () => Decompressor): Running {
  const running: Running = { stream: create(), error: undefined, wake: () => undefined }
  running.stream.on('error', (error) => {
    running.error = error
    running.wake()
  })
  return running
}

async function write(running: Running, chunk: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    running.wake = resolve
    running.stream.write(chunk, () => resolve())
  })
}

/** Ends the input; resolves to what comes out last, when everything has. */
async function end(running: Running): Promise<Buffer[]> {
  const parts: Buffer[] = []
  await new Promise<void>((resolve) => {
    running.wake = resolve
    running.stream.on('data', (part: Buffer) => parts.push(part))
    running.stream.once('end', () => resolve())
    running.stream.end()
  })
  return parts
}

/** What has been decompressed and not yet taken. */
function take(running: Running): Buffer | undefined {
  const bytes: unknown = running.stream.read()
  return Buffer.isBuffer(bytes) && bytes.length > 0 ? bytes : undefined
}

function problemOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  if (code === 'Z_BUF_ERROR') return 'the compressed file ends too early (truncated)'
  return `the compressed file is damaged: ${errorMessage(error)}`
}

/**
 * Decompresses; ends with a CutOff when the file is damaged or truncated. `isFramed`: the stream ends with its frame, and what is
 * left of the chunk belongs to the next one.
 */
async function* decompress(
  chunks: AsyncIterable<Buffer>,
  create: () => Decompressor,
  isFramed: boolean,
): AsyncGenerator<ByteChunk> {
  let running = start(create)
  let frameBytes = 0
  try {
    for await (const chunk of chunks) {
      let rest = chunk
      while (rest.length > 0 && running.error === undefined) {
        await write(running, rest)
        frameBytes += rest.length
        const left = isFramed ? frameBytes - running.stream.bytesWritten : 0
        const bytes = take(running)
        if (bytes !== undefined) yield bytes
        if (left <= 0 || running.error !== undefined) break
        running.stream.destroy()
        running = start(create)
        rest = rest.subarray(rest.length - left)
        frameBytes = 0
      }
      if (running.error !== undefined) break
    }
    const held = take(running)
    if (held !== undefined) yield held
    if (running.error === undefined) yield* await end(running)
    if (running.error !== undefined) yield { problem: problemOf(running.error) }
  } finally {
    running.stream.destroy()
  }
}

/** The stream from its start, once its first bytes have been looked at. */
async function* rejoin(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  for (;;) {
    const next = await rest.next()
    if (next.done === true) return
    yield next.value
  }
}

/** The bytes of a stream, decompressed when they start like gzip or zstd. Errors of the stream itself are thrown. */
export async function* decompressed(stream: AsyncIterable<Buffer>): AsyncGenerator<ByteChunk> {
  const iterator = stream[Symbol.asyncIterator]()
  try {
    let head: Buffer = Buffer.alloc(0)
    while (head.length < MAGIC_BYTES) {
      const next = await iterator.next()
      if (next.done === true) break
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
    }
    const chunks = rejoin(head, iterator)
    if (head.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) {
      yield* decompress(chunks, () => createGunzip(OPTIONS), false)
    } else if (head.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC)) {
      yield* decompress(chunks, () => createZstdDecompress(OPTIONS), true)
    } else {
      yield* chunks
    }
  } finally {
    await iterator.return?.()
  }
}
