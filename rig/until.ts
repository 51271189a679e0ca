import { setTimeout as wait } from 'node:timers/promises'

export interface UntilOptions {
  /** What is waited for, for the error. */
  readonly what: string
  /** Milliseconds. */
  readonly timeoutMs?: number
  /** Milliseconds between two looks. */
  readonly everyMs?: number
}

/**
 * Looks until `look` returns something else than undefined or false, and returns it. Throws when the time is up, with the last error of
 * `look` as its cause: an error counts as "not yet".
 */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions,
): Promise<T> {
  const { what, timeoutMs = 30_000, everyMs = 50 } = options
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
