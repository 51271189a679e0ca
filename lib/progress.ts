/**
 * A progress line on standard error: quiet when standard error is not a terminal, redrawn at most five times a second.
 * It never writes to standard output, so that a command's result stays clean.
 */

/** Redrawing more often than this (milliseconds) only flickers. */
const REDRAW_INTERVAL_MS = 200

export interface Progress {
  /** Says how many units are done by now; cheap enough to call for every batch. */
  update(done: number): void
  /** Removes the line. */
  finish(): void
}

export interface ProgressOptions {
  readonly label: string
  /** Units in all; 0 or less when unknown: then neither percent nor remaining time is shown. */
  readonly total: number
  /** What is counted, in the plural: 'records', 'bytes'. */
  readonly unit: string
  /** Milliseconds, monotonic. */
  readonly now?: () => number
  readonly stream?: { readonly isTTY?: boolean; write(text: string): unknown }
}

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

function remainingText(seconds: number): string {
  if (!Number.isFinite(seconds)) return ''
  const whole = Math.ceil(seconds)
  const minutes = Math.floor(whole / 60)
  return minutes > 0 ? `${minutes} min ${whole % 60} s left` : `${whole} s left`
}

/** The text of the line, for `done` units after `elapsedMs` milliseconds. */
export function progressLine(options: ProgressOptions, done: number, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0
  const parts = [`${options.label}: ${COUNT.format(done)} ${options.unit}`]
  if (options.total > 0) parts.push(`${Math.min(100, Math.floor((done * 100) / options.total))} %`)
  if (rate > 0) parts.push(`${COUNT.format(rate)}/s`)
  if (options.total > done && rate > 0) parts.push(remainingText((options.total - done) / rate))
  return parts.join(', ')
}

export function createProgress(options: ProgressOptions): Progress {
  const stream = options.stream ?? process.stderr
  const now = options.now ?? (() => performance.now())
  if (stream.isTTY !== true) return { update: () => undefined, finish: () => undefined }
  const startedAt = now()
  let drawnAt = Number.NEGATIVE_INFINITY
  return {
    update(done) {
      const time = now()
      if (time - drawnAt < REDRAW_INTERVAL_MS) return
      drawnAt = time
      stream.write(`\r\u001B[2K${progressLine(options, done, time - startedAt)}`)
    },
    finish() {
      if (drawnAt > Number.NEGATIVE_INFINITY) stream.write('\r\u001B[2K')
    },
  }
}
