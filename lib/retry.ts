/**
 * Trying again: the one back-off of everything that waits for Kafka or ClickHouse.
 *
 * Whether an error may pass is the caller's to say, by its type. What may not, and the last of a limited number of tries, is thrown as it is, with
 * its own causes. Who is stopped while waiting gets a StoppedError that has the last failure as its cause.
 */
import { setTimeout as delay } from 'node:timers/promises'

export interface Backoff {
  /** Milliseconds before the second try; doubles with each further one. */
  readonly firstPauseMs: number
  readonly pauseMaxMs: number
}

export interface RetryOptions extends Backoff {
  /** Tries in all; absent: until it works. */
  readonly attempts?: number
  readonly mayPass: (error: unknown) => boolean
  /** Ends the waiting. A try that is under way is not cut off. */
  readonly signal?: AbortSignal
  /** Told of each failure that is tried again. */
  readonly onRetry?: (error: unknown) => void
  /** Waits in the place of a timer; may reject. */
  readonly pause?: (milliseconds: number) => Promise<void>
}

/** Stopped before it worked. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

export interface Pauses {
  /** The next pause, milliseconds. */
  next(): number
  /** It worked: the next pause is the first again. */
  reset(): void
}

/** Pauses that double up to a limit. */
export function createPauses({ firstPauseMs, pauseMaxMs }: Backoff): Pauses {
  let nextMs = firstPauseMs
  return {
    next() {
      const pauseMs = nextMs
      nextMs = Math.min(nextMs * 2, pauseMaxMs)
      return pauseMs
    },
    reset() {
      nextMs = firstPauseMs
    },
  }
}

/** Waits so many milliseconds. Rejects with StoppedError as soon as the signal is set. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    throw new StoppedError('stopped', { cause: error })
  }
}

/** Runs until it works. */
export async function retry<T>(run: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts = Number.POSITIVE_INFINITY, signal } = options
  const wait = options.pause ?? (async (milliseconds) => await pause(milliseconds, signal))
  const pauses = createPauses(options)
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown
    try {
      return await run()
    } catch (error) {
      if (attempt >= attempts || !options.mayPass(error)) throw error
      failure = error
    }
    options.onRetry?.(failure)
    try {
      await wait(pauses.next())
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error
      throw new StoppedError('stopped before it worked', { cause: failure })
    }
  }
}
