import { setTimeout as wait } from 'node:timers/promises'

export interface UntilOptions {
  /** What is waited for, for the error. */
  readonly what: string
  /** Milliseconds; absent: WAIT_MS. */
  readonly timeoutMs?: number
  /** Milliseconds between two looks. */
  readonly everyMs?: number
}

/** Generous: what comes is not waited for any longer than it takes, also on a machine that does much else; only what never comes takes this long. */
const WAIT_MS = 120_000
/** For as many records as a test has, stored by processes that are begun anew again and again; and for a broker to start (4 s on an idle machine). */
export const LONG_WAIT_MS = 300_000

/**
 * Looks until `look` returns something else than undefined or false, and returns it. Throws when the time is up, with the last error of
 * `look` as its cause: an error counts as "not yet".
 */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions,
): Promise<T> {
  const { what, timeoutMs = WAIT_MS, everyMs = 50 } = options
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== false) return seen
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause })
    await wait(everyMs)
  }
}
