import kafkajs from 'kafkajs'
import { compress } from 'snappy'
import { beforeAll, expect, test } from 'vitest'
import { registerCodecs } from '#lib/kafka-codecs.ts'

const { CompressionCodecs, CompressionTypes } = kafkajs
const text = Buffer.from('a line that repeats, and repeats\n'.repeat(10_000))
const types = [
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const

beforeAll(() => {
  registerCodecs()
})

/** The stream format of Java's snappy library. */
async function xerial(blocks: readonly Buffer[]): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])]
  for (const block of blocks) {
    const packed = await compress(block)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(packed.length)
    parts.push(length, packed)
  }
  return Buffer.concat(parts)
}

async function unpack(type: (typeof types)[number][1], bytes: Buffer): Promise<unknown> {
  return await CompressionCodecs[type]().decompress(bytes)
}

test.each(types)('%s gives back what it packed, in fewer bytes', async (_name, type) => {
  const codec = CompressionCodecs[type]()
  const packed: unknown = await codec.compress({ buffer: text })
  if (!Buffer.isBuffer(packed)) throw new TypeError('a codec returns a buffer')
  expect(packed.length).toBeLessThan(text.length / 10)
  expect(await unpack(type, packed)).toStrictEqual(text)
})

test.each(types)('%s: bytes that are not its own are an error', async (_name, type) => {
  await expect(unpack(type, Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]))).rejects.toThrow(/\S/)
})

test('snappy in blocks, as Java sends it, is read whole; cut anywhere, it is an error or ends at a block', async () => {
  const blocks = [text.subarray(0, 32_768), text.subarray(32_768, 65_536), text.subarray(65_536)]
  const packed = await xerial(blocks)
  expect(await unpack(CompressionTypes.Snappy, packed)).toStrictEqual(text)
  expect(await unpack(CompressionTypes.Snappy, await xerial([]))).toStrictEqual(Buffer.alloc(0))
  for (const cut of [packed.length - 1, packed.length - 3_000, 18]) {
    await expect(unpack(CompressionTypes.Snappy, packed.subarray(0, cut))).rejects.toThrow('cut short')
  }
})
