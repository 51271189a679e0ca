import { constants, createGzip, gzipSync, zstdCompressSync } from 'node:zlib'

import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { decompressed, type ByteChunk } from '../../../../services/ingest/files/decompress.ts'
import { fileIdentity } from '../../../../services/ingest/files/identity.ts'
import { lineChunks, type LineChunk } from '../../../../services/ingest/files/line-chunks.ts'

/** A stream that hands out `bytes` in pieces of `size`. */
async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

async function readAll(chunks: AsyncIterable<ByteChunk>): Promise<{ bytes: Buffer; problem: string | undefined }> {
  const parts: Buffer[] = []
  let problem: string | undefined
  for await (const chunk of chunks) {
    if (Buffer.isBuffer(chunk)) parts.push(Buffer.from(chunk))
    else problem = chunk.problem
  }
  return { bytes: Buffer.concat(parts), problem }
}

/** Random enough not to shrink to nothing, and the same each time. */
function text(lines: number): Buffer {
  return Buffer.from(Array.from({ length: lines }, (_, index) => `line ${index} ${Math.sin(index)}\n`).join(''))
}

const small = text(300)
const large = text(60_000)

test.each<[string, Buffer]>([
  ['plain', large],
  ['gzip', gzipSync(large)],
  ['zstd', zstdCompressSync(large)],
])('%s bytes come out as they went in, however they are handed over', async (_, bytes) => {
  for (const size of [1021, 65_536, bytes.length]) {
    const read = await readAll(decompressed(pieces(bytes, size)))
    expect(read.problem).toBeUndefined()
    expect(read.bytes.equals(large)).toBe(true)
  }
})

test.each<[string, Buffer]>([
  ['gzip', gzipSync(small)],
  ['zstd', zstdCompressSync(small)],
])('several members of %s in a row are one stream, wherever pieces are cut', async (_, member) => {
  const bytes = Buffer.concat([member, member, member])
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async (size) => {
      const read = await readAll(decompressed(pieces(bytes, size)))
      expect(read.problem).toBeUndefined()
      expect(read.bytes.equals(Buffer.concat([small, small, small]))).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test('a zstd frame that no data follows in, and an empty frame, are read', async () => {
  const bytes = Buffer.concat([
    zstdCompressSync(Buffer.alloc(0)),
    zstdCompressSync(small),
    zstdCompressSync(Buffer.alloc(0)),
  ])
  const read = await readAll(decompressed(pieces(bytes, 7)))
  expect(read).toEqual({ bytes: small, problem: undefined })
})

test.each<[string, Buffer]>([
  ['gzip', gzipSync(large)],
  ['zstd', zstdCompressSync(large)],
])('of truncated %s, everything that could be read comes out before the problem', async (_, bytes) => {
  for (const share of [0.3, 0.7, 0.999]) {
    const read = await readAll(decompressed(pieces(bytes.subarray(0, Math.floor(bytes.length * share)), 50_000)))
    expect(read.problem).toContain('truncated')
    expect(read.bytes.equals(large.subarray(0, read.bytes.length))).toBe(true)
    expect(read.bytes.length).toBeGreaterThan(large.length * (share - 0.15))
  }
})

test('damaged gzip ends with a problem, not with an exception', async () => {
  const bytes = Buffer.from(gzipSync(large))
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8], bytes.length / 2)
  const read = await readAll(decompressed(pieces(bytes, 65_536)))
  expect(read.problem).toContain('damaged')
})

test('gzip that was flushed in the middle and never ended is read up to there', async () => {
  const gzip = createGzip()
  const parts: Buffer[] = []
  gzip.on('data', (part: Buffer) => parts.push(part))
  gzip.write(small)
  await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve))
  const read = await readAll(decompressed(pieces(Buffer.concat(parts), 100)))
  expect(read.bytes.equals(small)).toBe(true)
  expect(read.problem).toContain('truncated')
  gzip.destroy()
})

test.each([[''], ['\u001f'], ['(\u00b5'], ['a']])(
  'a stream of %j, too short for any magic bytes, is plain',
  async (start) => {
    const bytes = Buffer.from(start, 'latin1')
    expect(await readAll(decompressed(pieces(bytes, 1)))).toEqual({ bytes, problem: undefined })
  },
)

const LIMITS = { lineBytesMax: 20, headBytes: 5 } as const

/** A line in short: a long one as its head and its length. */
function inShort(line: string): string {
  return line.length > LIMITS.lineBytesMax ? `${line.slice(0, LIMITS.headBytes)}+${line.length}` : line
}

function linesOf(chunk: LineChunk): string[] {
  if (chunk.kind === 'cut_off') return ['cut off']
  if (chunk.kind === 'too_long') return [`${chunk.head.toString()}+${chunk.bytes}`]
  const lines = chunk.bytes.toString().split('\n')
  return (chunk.terminated ? lines.slice(0, -1) : lines).map(inShort)
}

async function collect(bytes: Buffer, size: number): Promise<string[]> {
  const lines: string[] = []
  for await (const chunk of lineChunks(pieces(bytes, size), LIMITS)) lines.push(...linesOf(chunk))
  return lines
}

test('lines are the same however the bytes are cut; longer ones keep their head and their length', async () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\r', ' '), maxLength: 60 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(lines, fc.boolean(), fc.integer({ min: 1, max: 90 }), async (parts, isEnded, size) => {
      const whole = parts.join('\n') + (isEnded ? '\n' : '')
      const expected = whole.split('\n').map(inShort)
      if (expected.at(-1) === '') expected.pop()
      expect(await collect(Buffer.from(whole), size)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

const manyLines = Buffer.from(Array.from({ length: 100 }, (_, index) => `{"line":${index}}\n`).join(''))

test('a file keeps its identity when it grows beyond 1 KiB', () => {
  expect(fileIdentity(manyLines).source).toBe(fileIdentity(manyLines.subarray(0, 1100)).source)
  expect(fileIdentity(manyLines).source).toMatch(/^file:[0-9a-f]{16}$/)
})

test('a file that was shorter than 1 KiB is among the earlier identities of what it has grown to', () => {
  const ends = [...manyLines.subarray(0, 1000)].flatMap((byte, index) => (byte === 10 ? [index + 1] : []))
  for (const [index, end] of ends.entries()) {
    const short = fileIdentity(manyLines.subarray(0, end))
    const unended = fileIdentity(manyLines.subarray(0, end - 1))
    expect(unended.source).toBe(short.source)
    expect(fileIdentity(manyLines).earlier).toContainEqual({ source: short.source, lines: index + 1 })
  }
})

test('two files that differ in their first lines have different identities', () => {
  const other = Buffer.from(manyLines)
  other[9] = 56
  expect(fileIdentity(other).source).not.toBe(fileIdentity(manyLines).source)
})

test('a first line longer than 1 KiB is the identity, with and without its newline', () => {
  const first = Buffer.from(`${'x'.repeat(3000)}\n`)
  expect(fileIdentity(Buffer.concat([first, manyLines])).source).toBe(fileIdentity(first).source)
  expect(fileIdentity(first.subarray(0, 3000)).source).toBe(fileIdentity(first).source)
})
