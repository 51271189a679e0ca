/**
 * Bytes to chunks of whole lines, with bounded memory whatever the input.
 *
 * A chunk is a buffer that starts at the start of a line and ends after the end of one; the reader finds the lines in it by their
 * newlines, so a line costs no object and no copy. A line that grows beyond the limit is reported with its first bytes, the rest of it is
 * passed over, and reading goes on behind it.
 */
import type { ByteChunk } from './decompress.ts'

export type LineChunk =
  /** Whole lines. Only the last line of the last chunk may lack its newline: then `terminated` is false. */
  | { readonly kind: 'lines'; readonly bytes: Buffer; readonly terminated: boolean }
  /** One line longer than the limit: its first bytes, and how many it had in all. */
  | { readonly kind: 'too_long'; readonly head: Buffer; readonly bytes: number }
  /** The stream broke off here; `partial` is what there was of the last line. */
  | { readonly kind: 'cut_off'; readonly problem: string; readonly partial: Buffer }

export interface LineLimits {
  /** Longest line, bytes without its newline. */
  readonly lineBytesMax: number
  /** Bytes that are kept of a line that is longer. */
  readonly headBytes: number
}

/** A request record has some 300 bytes; 1 MiB is far beyond any, and small enough to hold. */
export const LINE_LIMITS: LineLimits = { lineBytesMax: 1024 * 1024, headBytes: 65_536 }

const NEWLINE = 10
const NO_BYTES: Buffer = Buffer.alloc(0)

/** The line that is being passed over because it is too long. */
interface Overlong {
  readonly head: Buffer
  bytes: number
}

/**
 * Cuts bytes into chunks of whole lines.
 *
 * 1. What is left of the chunk before (the start of a line) is put in front of the new one.
 * 2. Everything up to the last newline is handed out.
 * 3. The rest is kept; once it is longer than a line may be, only its head is, and bytes are passed over up to the next newline.
 */
export async function* lineChunks(
  chunks: AsyncIterable<ByteChunk>,
  limits: LineLimits = LINE_LIMITS,
): AsyncGenerator<LineChunk> {
  let kept: Buffer = NO_BYTES
  let overlong: Overlong | undefined
  for await (const chunk of chunks) {
    if ('problem' in chunk) {
      if (overlong !== undefined) yield { kind: 'too_long', ...overlong }
      yield { kind: 'cut_off', problem: chunk.problem, partial: kept }
      return
    }
    let bytes = chunk
    if (overlong !== undefined) {
      const lineEnd = bytes.indexOf(NEWLINE)
      overlong.bytes += lineEnd < 0 ? bytes.length : lineEnd
      if (lineEnd < 0) continue
      yield { kind: 'too_long', ...overlong }
      overlong = undefined
      bytes = bytes.subarray(lineEnd + 1)
    }
    if (kept.length > 0) bytes = Buffer.concat([kept, bytes])
    const end = bytes.lastIndexOf(NEWLINE) + 1
    if (end > 0) yield { kind: 'lines', bytes: bytes.subarray(0, end), terminated: true }
    kept = bytes.subarray(end)
    if (kept.length > limits.lineBytesMax) {
      overlong = { head: Buffer.from(kept.subarray(0, limits.headBytes)), bytes: kept.length }
      kept = NO_BYTES
    }
  }
  if (overlong !== undefined) yield { kind: 'too_long', ...overlong }
  else if (kept.length > 0) yield { kind: 'lines', bytes: kept, terminated: false }
}
