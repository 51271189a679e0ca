/**
 * A file of records, one a line, opened for reading: plain, gzip or zstd, or standard input as '-'.
 *
 * What cannot be read at all (missing, a directory, no permission) is a usage error that says so; what goes wrong later is part of the
 * chunks, because everything before it is good.
 */
import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'

import { errorMessage, SidestepError } from '#lib/errors.ts'

import { decompressed, type ByteChunk } from './decompress.ts'
import { fileIdentity, IDENTITY_BYTES, type FileIdentity } from './identity.ts'
import { lineChunks, LINE_LIMITS, type LineChunk } from './line-chunks.ts'

export interface FileSource {
  /** Undefined for a file without a single byte. */
  readonly identity: FileIdentity | undefined
  readonly chunks: AsyncGenerator<LineChunk>
}

export interface FileSourceOptions {
  /** Standard input, read where the path is '-'. */
  readonly stdin: AsyncIterable<Buffer>
  /** Called with the number of bytes just read, as they are on disk. */
  readonly onRead: (bytes: number) => void
}

/** Large reads: each costs a trip through the thread pool. */
const READ_BYTES = 512 * 1024

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])] as const

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'its links form a loop',
}

function unreadable(path: string, error: unknown): SidestepError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new SidestepError('usage', `cannot read ${path}: ${REASONS[code] ?? errorMessage(error)}`, { cause: error })
}

/** Size of a file on disk, bytes; 0 for standard input and for pipes. Throws a usage error when it cannot be read. */
export async function checkReadable(path: string): Promise<number> {
  if (path === '-') return 0
  try {
    const found = await stat(path)
    if (found.isDirectory())
      throw new SidestepError('usage', `cannot read ${path}: it is a directory; name the files in it`)
    await access(path, constants.R_OK)
    return found.isFile() ? found.size : 0
  } catch (error) {
    throw error instanceof SidestepError ? error : unreadable(path, error)
  }
}

async function* counted(path: string, options: FileSourceOptions): AsyncGenerator<Buffer> {
  const stream: AsyncIterable<Buffer> =
    path === '-' ? options.stdin : createReadStream(path, { highWaterMark: READ_BYTES })
  try {
    for await (const chunk of stream) {
      options.onRead(chunk.length)
      yield chunk
    }
  } catch (error) {
    throw unreadable(path === '-' ? 'standard input' : path, error)
  }
}

/** Enough of the start to identify the file and to look for marks, and the chunks after it. */
interface Started {
  readonly head: Buffer
  readonly cutOff: ByteChunk | undefined
}

async function readHead(chunks: AsyncIterator<ByteChunk>): Promise<Started> {
  let head: Buffer = Buffer.alloc(0)
  for (;;) {
    const isEnough = head.length >= IDENTITY_BYTES + BYTE_ORDER_MARK.length && head.includes(10, BYTE_ORDER_MARK.length)
    if (isEnough || head.length > LINE_LIMITS.lineBytesMax) return { head, cutOff: undefined }
    const next = await chunks.next()
    if (next.done === true) return { head, cutOff: undefined }
    if (!Buffer.isBuffer(next.value)) return { head, cutOff: next.value }
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
}

async function* continued(started: Started, head: Buffer, rest: AsyncIterator<ByteChunk>): AsyncGenerator<ByteChunk> {
  try {
    if (head.length > 0) yield head
    if (started.cutOff !== undefined) {
      yield started.cutOff
      return
    }
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

/** Opens a file. Throws a usage error when it cannot be read, or is text in UTF-16. */
export async function openFileSource(path: string, options: FileSourceOptions): Promise<FileSource> {
  await checkReadable(path)
  const bytes = decompressed(counted(path, options))
  const started = await readHead(bytes)
  if (UTF16_MARKS.some((mark) => started.head.subarray(0, mark.length).equals(mark))) {
    await bytes.return(undefined)
    throw new SidestepError(
      'usage',
      `cannot read ${path}: it is UTF-16; convert it to UTF-8, e.g. with iconv -f UTF-16 -t UTF-8`,
    )
  }
  const hasMark = started.head.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
  const head = hasMark ? started.head.subarray(BYTE_ORDER_MARK.length) : started.head
  return {
    identity: head.length === 0 ? undefined : fileIdentity(head),
    chunks: lineChunks(continued(started, head, bytes)),
  }
}
