/**
 * Which file is this? Told by its first bytes, not by its name: docs/adr/0001-file-identity.md.
 *
 * The identity is a hash over the first 1,024 decompressed bytes, cut back to whole lines. A file that was renamed, copied, compressed
 * otherwise or appended to keeps it.
 */
import { createHash } from 'node:crypto'

import { LINE_LIMITS } from './line-chunks.ts'

/** Bytes that identify a file, as in Filebeat's fingerprint identity. */
export const IDENTITY_BYTES = 1024

const NEWLINE = 10

function hashed(bytes: Buffer): string {
  return `file:${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
}

export interface FileIdentity {
  /** `file:` and 16 hexadecimal digits: the `source` under which its records are stored. */
  readonly source: string
  /**
   * What the identity was if the file had fewer lines then: for a file that had less than 1,024 bytes when it was read last and has grown since.
   * Longest first.
   */
  readonly earlier: readonly { readonly source: string; readonly lines: number }[]
}

/**
 * Identity of a file that starts with `head`: at least its first 1,024 bytes and its first line (or as much of that as a line may have), or all
 * of it when it is shorter. A last line without its newline counts as if it had one, because that may come with the next line.
 */
export function fileIdentity(head: Buffer): FileIdentity {
  const isUnterminated = head.length < IDENTITY_BYTES ? head[head.length - 1] !== NEWLINE : !head.includes(NEWLINE)
  const lines = isUnterminated ? Buffer.concat([head, Buffer.of(NEWLINE)]) : head
  const ends: number[] = []
  for (let end = lines.indexOf(NEWLINE) + 1; end > 0; end = lines.indexOf(NEWLINE, end) + 1) {
    if (end > IDENTITY_BYTES && ends.length > 0) break
    ends.push(end)
    if (end >= IDENTITY_BYTES) break
  }
  const own = Math.min(ends.pop() ?? lines.length, LINE_LIMITS.lineBytesMax)
  const earlier = ends.map((end, index) => ({ source: hashed(lines.subarray(0, end)), lines: index + 1 }))
  return { source: hashed(lines.subarray(0, own)), earlier: earlier.toReversed() }
}
