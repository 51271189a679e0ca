/**
 * The intent: what the metadata of an offset commit says about the range that is inserted next.
 *
 * Committed at offset `from`, it marks everything before `from` as stored and [from, to) as perhaps stored: whoever owns the partition next
 * must complete exactly that range, under its token. Empty metadata means that nothing is under way.
 */
import { z } from 'zod'

/** A decade of offsets fits: Number.MAX_SAFE_INTEGER is 9e15. */
const offset = z.int().min(0)

export const Intent = z.object({
  v: z.literal(1),
  /** Offset after the last record of the range. */
  to: offset,
  /** Records in the range. */
  n: z.int().min(1),
  /** When the range was opened, epoch milliseconds: the clock by which its event times are judged, now and when it is read again. */
  at: z.int(),
  /** Source under which the range is stored; absent when it is the topic itself (its first incarnation). */
  s: z.string().optional(),
})
export type Intent = z.infer<typeof Intent>

/** What the metadata of a commit holds: `foreign` when somebody else wrote it (a tool that resets offsets may). */
export type CommitMetadata =
  | { readonly kind: 'none' }
  | { readonly kind: 'intent'; readonly intent: Intent }
  | { readonly kind: 'foreign' }

/** Never longer than the 4,096 bytes that a broker accepts by default: a topic name has at most 249 characters. */
export function encodeIntent(intent: Intent): string {
  return JSON.stringify(intent)
}

/** Total: any text gives an answer. */
export function decodeMetadata(metadata: string | null | undefined): CommitMetadata {
  if (metadata === null || metadata === undefined || metadata === '') return { kind: 'none' }
  let value: unknown
  try {
    value = JSON.parse(metadata)
  } catch {
    return { kind: 'foreign' }
  }
  const parsed = Intent.safeParse(value)
  return parsed.success ? { kind: 'intent', intent: parsed.data } : { kind: 'foreign' }
}
