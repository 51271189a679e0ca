/** When programs send: steady streams, pollers, batches and cron jobs, each shaped by a curve of the day. */
import type { Rng } from '#simulate/random.ts'

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
/** Length of a limit window, milliseconds (15 minutes, as published limits are). */
export const WINDOW_MS = 15 * MINUTE_MS

/** Relative activity in 0..1 at an epoch time in milliseconds. */
export type Curve = (atMs: number) => number

export const always: Curve = () => 1

/** Open between two local hours, which may wrap midnight. */
export function shift(offsetHours: number, fromHour: number, hours: number): Curve {
  return (atMs) => {
    const local = atMs / HOUR_MS + offsetHours - fromHour
    return ((local % 24) + 24) % 24 < hours ? 1 : 0
  }
}

/** On and off by turns, as campaigns and manual runs are; both durations exponential, milliseconds. */
export function episodes(rng: Rng, startMs: number, endMs: number, onMs: number, offMs: number): Curve {
  const edges: number[] = []
  let on = rng.chance(onMs / (onMs + offMs))
  const startsOn = on
  for (let time = startMs; time < endMs; on = !on) {
    time += Math.max(MINUTE_MS, rng.exponential(on ? onMs : offMs))
    edges.push(time)
  }
  return (atMs) => {
    let low = 0
    let high = edges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((edges[middle] ?? 0) <= atMs) low = middle + 1
      else high = middle
    }
    return (low % 2 === 0) === startsOn ? 1 : 0
  }
}

/** Between two moments only; used for moves from one app to its successor. */
export function between(fromMs: number, toMs: number, inner: Curve): Curve {
  return (atMs) => (atMs >= fromMs && atMs < toMs ? inner(atMs) : 0)
}

export interface Rhythm {
  /** Time of the next request after `nowMs`, epoch milliseconds; Infinity when there is none before the end. */
  next(nowMs: number, scale: number): number
  /** Mean requests an hour around `atMs`, at scale 1. */
  perHour(atMs: number): number
  /** Requests in a busy limit window, at scale 1. */
  readonly perWindow: number
}

export interface Span {
  readonly startMs: number
  readonly endMs: number
  /** Mean restarts of a program in 24 hours, each of which moves a schedule that is not bound to the clock. */
  readonly restartsPerDay?: number
  /** Share of programs that ask one by one at even times, 0..1. */
  readonly evenPolls?: number
}

/** A Poisson stream of at most `perHour` requests an hour, thinned by the curve. */
export function steady(rng: Rng, span: Span, perHour: number, curve: Curve): Rhythm {
  return {
    perHour: (atMs) => perHour * curve(atMs),
    perWindow: (perHour * WINDOW_MS) / HOUR_MS,
    next(nowMs, scale) {
      const mean = HOUR_MS / (perHour * scale)
      for (let time = nowMs; time < span.endMs;) {
        time += rng.exponential(mean)
        if (rng.next() < curve(time)) return time
      }
      return Number.POSITIVE_INFINITY
    },
  }
}

interface BatchOptions {
  /** Period, milliseconds. */
  readonly everyMs: number
  /** Offset of the runs against the epoch, milliseconds: 0 means on the hour for hourly jobs. A function where restarts move it. */
  readonly phaseMs: number | ((nowMs: number) => number)
  /** Standard deviation of a run's start, milliseconds. */
  readonly jitterMs: number
  /** Mean requests a run. */
  readonly size: number
  /** Median time between two requests of a run, milliseconds; less when the run would not end before the next. */
  readonly gapMs: number
  readonly curve: Curve
}

/** A run takes at most this share of its period, 0..1: who has more to do hurries. */
const RUN_SHARE_MAX = 0.6

/** Runs at a period: pollers (size 1), batch jobs, cron jobs. */
export function batches(rng: Rng, span: Span, options: BatchOptions): Rhythm {
  const { everyMs, jitterMs, size, gapMs, curve } = options
  const phaseAt = typeof options.phaseMs === 'function' ? options.phaseMs : (): number => Number(options.phaseMs)
  let left = 0
  let pauseMs = gapMs
  let phaseMs = phaseAt(span.startMs)
  let run = Math.floor((span.startMs - phaseMs) / everyMs)
  return {
    perHour: (atMs) => (size * HOUR_MS * curve(atMs)) / everyMs,
    // A run of a long period may well fall into one window as a whole.
    perWindow: size * Math.max(1, WINDOW_MS / everyMs),
    next(nowMs, scale) {
      if (left > 0) {
        left -= 1
        return nowMs + pauseMs * Math.exp(rng.normal() * 0.5)
      }
      if (phaseAt(nowMs) !== phaseMs) {
        phaseMs = phaseAt(nowMs)
        run = Math.floor((nowMs - phaseMs) / everyMs)
      }
      for (;;) {
        run = Math.max(run + 1, Math.floor((nowMs - phaseMs) / everyMs))
        const start = run * everyMs + phaseMs + Math.abs(rng.normal()) * jitterMs
        if (start >= span.endMs) return Number.POSITIVE_INFINITY
        if (start <= nowMs || rng.next() >= curve(start)) continue
        const wanted = size * scale * (size > 2 ? Math.exp(rng.normal() * 0.3 - 0.045) : 1)
        const count = Math.floor(wanted) + (rng.chance(wanted % 1) ? 1 : 0)
        if (count === 0) continue
        left = count - 1
        pauseMs = Math.min(gapMs, (RUN_SHARE_MAX * everyMs) / count)
        return start
      }
    },
  }
}

/** A phase drawn anew with each restart. */
function restarting(rng: Rng, span: Span, everyMs: number): number | ((nowMs: number) => number) {
  const first = rng.next() * everyMs
  const { startMs, endMs, restartsPerDay = 0 } = span
  if (restartsPerDay <= 0) return first
  const restarts: { atMs: number; phaseMs: number }[] = []
  for (let time = startMs; time < endMs;) {
    time += rng.exponential((24 * HOUR_MS) / restartsPerDay)
    restarts.push({ atMs: time, phaseMs: rng.next() * everyMs })
  }
  return (nowMs) => restarts.findLast(({ atMs }) => atMs <= nowMs)?.phaseMs ?? first
}

/** One request, or one small poll, after the other at even times. */
function evenly(rng: Rng, span: Span, perHour: number, curve: Curve): Rhythm {
  const size = rng.pick([1, 1, 1, 2, 3])
  const everyMs = Math.max(2 * SECOND_MS, (size * HOUR_MS) / perHour)
  return batches(rng, span, {
    everyMs,
    phaseMs: restarting(rng, span, everyMs),
    jitterMs: everyMs * rng.range(0.001, 0.05),
    size: (perHour * everyMs) / HOUR_MS,
    gapMs: rng.lognormal(400, 0.7),
    curve,
  })
}

/** Some rhythm a server job may have, with about `perHour` requests in the hours when the curve is 1. */
export function anyRhythm(rng: Rng, span: Span, perHour: number, curve: Curve): Rhythm {
  if (rng.chance(span.evenPolls ?? 0)) return evenly(rng, span, perHour, curve)
  if (rng.chance(0.4)) return steady(rng, span, perHour, curve)
  const aligned = rng.chance(0.4)
  const everyMs = rng.pick([20, 30, 60, 60, 60, 120, 300, 300, 600, 900, 900, 1_800, 3_600]) * SECOND_MS
  const size = (perHour * everyMs) / HOUR_MS
  return batches(rng, span, {
    everyMs,
    phaseMs: aligned ? 0 : restarting(rng, span, everyMs),
    jitterMs: rng.lognormal(everyMs / 200, 1),
    size,
    gapMs: rng.lognormal(700, 1.1),
    curve,
  })
}
