/**
 * The compression codecs that kafkajs leaves to its user, so that every batch a Kafka producer can send is read: snappy, lz4 and zstd
 * beside the gzip it has. All work off the main thread.
 *
 * snappy and lz4 come as prebuilt platform packages (nothing is compiled at install) and decode four to six times as fast as the
 * JavaScript ports; zstd is Node's own.
 */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import kafkajs from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as compressSnappy, uncompress as uncompressSnappy } from 'snappy'

/** What kafkajs asks of a codec; the bytes are the records of one batch. */
interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  /** Rejects when the bytes are not of the codec's format. */
  decompress(buffer: Buffer): Promise<Buffer>
}

/** Java clients wrap snappy in xerial's stream format: this magic, two int32 versions, then blocks, each behind its int32 length. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = XERIAL_MAGIC.length + 8

function isXerial(buffer: Buffer): boolean {
  return buffer.length >= XERIAL_HEADER_BYTES && buffer.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)
}

/** The compressed blocks of a xerial stream. Throws where it is cut short. */
function xerialBlocks(buffer: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  let at = XERIAL_HEADER_BYTES
  while (at < buffer.length) {
    const start = at + 4
    const end = start > buffer.length ? Number.POSITIVE_INFINITY : start + buffer.readUInt32BE(at)
    if (end > buffer.length) throw new Error(`snappy batch is cut short: a block ends after its ${buffer.length} bytes`)
    blocks.push(buffer.subarray(start, end))
    at = end
  }
  return blocks
}

async function inflateSnappy(block: Buffer): Promise<Buffer> {
  const bytes = await uncompressSnappy(block, { asBuffer: true })
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes
}

const snappy: Codec = {
  // Bare snappy, as librdkafka sends it: every consumer reads both framings.
  async compress(encoder) {
    return await compressSnappy(encoder.buffer)
  },
  async decompress(buffer) {
    if (!isXerial(buffer)) return await inflateSnappy(buffer)
    return Buffer.concat(await Promise.all(xerialBlocks(buffer).map(inflateSnappy)))
  },
}

const lz4: Codec = {
  async compress(encoder) {
    return await compressFrame(encoder.buffer)
  },
  async decompress(buffer) {
    return await decompressFrame(buffer)
  },
}

const zstdCompressed = promisify(zstdCompress)
const zstdDecompressed = promisify(zstdDecompress)

const zstd: Codec = {
  async compress(encoder) {
    return await zstdCompressed(encoder.buffer)
  },
  async decompress(buffer) {
    return await zstdDecompressed(buffer)
  },
}

/** Plugs the codecs into kafkajs, whose registry is global to the process. Calling it again changes nothing. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd
}
