/** How every service takes a stop: SIGTERM or SIGINT sets the signal, and `run` ends in order. */
export interface ShutdownOptions {
  /** Told of the first one. */
  readonly onStop: (signal: NodeJS.Signals) => void
  /**
   * A stop that takes longer (milliseconds) ends the process with exit code 1, after `onCutOff`; further signals change nothing. Absent: it takes as
   * long as it takes, or until a second signal, which ends the process.
   */
  readonly cutOff?: { readonly afterMs: number; readonly onCutOff: () => void }
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Runs until it ends by itself or is told to stop. */
export async function runUntilStopped(
  { onStop, cutOff }: ShutdownOptions,
  run: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) return
    onStop(signal)
    stop.abort()
    if (cutOff === undefined) {
      for (const name of SIGNALS) process.off(name, onSignal)
      return
    }
    setTimeout(() => {
      cutOff.onCutOff()
      process.exit(1)
    }, cutOff.afterMs).unref()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  try {
    await run(stop.signal)
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
}
