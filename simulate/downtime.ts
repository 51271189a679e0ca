/** When hosts and processes are down, and what a restart does to the phase of a schedule. */
import type { Network } from '#simulate/networks.ts'
import type { Rng } from '#simulate/random.ts'
import { HOUR_MS, MINUTE_MS, type Span } from '#simulate/rhythm.ts'

export interface Stop {
  /** Epoch milliseconds, half open. */
  readonly fromMs: number
  readonly toMs: number
}

/** Stops in the order of time, without overlap: exponential times between them, lognormal lengths (median milliseconds). */
export function stopsOf(rng: Rng, span: Span, perDay: number, lengthMs: number): Stop[] {
  const stops: Stop[] = []
  if (perDay <= 0) return stops
  for (let time = span.startMs; ;) {
    time += rng.exponential((24 * HOUR_MS) / perDay)
    if (time >= span.endMs) return stops
    const toMs = time + Math.max(MINUTE_MS / 2, rng.lognormal(lengthMs, 0.6))
    stops.push({ fromMs: time, toMs })
    time = toMs
  }
}

/** The last stop that began at or before `nowMs`: its index, or -1. */
function stopBefore(stops: readonly Stop[], nowMs: number): number {
  let index = stops.length - 1
  while (index >= 0 && (stops[index]?.fromMs ?? 0) > nowMs) index -= 1
  return index
}

/** A network that nobody gets out of while its host, or the one process behind it, is down. */
export class Failing implements Network {
  private readonly inner: Network
  private readonly stops: readonly Stop[]

  constructor(inner: Network, stops: readonly Stop[]) {
    this.inner = inner
    this.stops = stops
  }

  address(nowMs: number): string {
    return this.inner.address(nowMs)
  }

  downUntil(nowMs: number): number {
    const until = this.stops[stopBefore(this.stops, nowMs)]?.toMs ?? 0
    return Math.max(until, this.inner.downUntil?.(nowMs) ?? 0)
  }
}

/** Offset of a schedule at a time, milliseconds: a program that waits a period after each start moves with every restart. */
export function phaseAfterRestarts(
  rng: Rng,
  stops: readonly Stop[],
  phaseMs: number,
  everyMs: number,
): (nowMs: number) => number {
  const phases = stops.map(() => rng.next() * everyMs)
  return (nowMs) => phases[stopBefore(stops, nowMs)] ?? phaseMs
}
