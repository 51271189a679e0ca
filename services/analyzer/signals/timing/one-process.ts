/**
 * Are many single-user keys driven by one process? Asked of groups that common networks, route mixes and programs cannot tell from a
 * template that many people deploy with keys of their own to one provider.
 *
 * Polls: requests after more than 15 s of silence. A key is regular when enough of the gaps between its polls lie within 10 % of their median.
 * Only regular keys speak: people who work at the same time fall silent together too.
 *   even stagger   one worker walks through the keys: the gaps between sorted phases are alike (coefficient of variation 0.0-0.2);
 *                  independent deployments give 0.5-2.1. Null: phases drawn uniformly.
 *   one moment     all phases alike, off the clock: independent crons share the full minute and nothing else.
 *   common restart the phases of all keys move by one and the same amount, and keep their distances: one process began again. Independent
 *                  deployments that begin again have phases of their own.
 *   common fate    keys miss polls in the same minutes, several times; null: each key's silences shifted by itself.
 */
import { median } from '../../statistics.ts'
import type { Tuning } from '../../tuning.ts'
import { seededRandom } from './random.ts'

const MINUTE_MS = 60_000

export interface PolledKey {
  readonly app: number
  /** Milliseconds from the start of the window, ascending. */
  readonly polls: readonly number[]
  /** Median gap between polls, milliseconds. */
  readonly periodMs: number
  /** Share of gaps within 10 % of the period, 0..1. */
  readonly regularity: number
}

export type ProcessProof = 'even_stagger' | 'one_moment' | 'common_restart' | 'common_fate'

export interface OneProcess {
  readonly proof: ProcessProof
  /** Keys that keep to the schedule, or share the fate. */
  readonly apps: readonly number[]
  /** The statistic of the proof, and what independent keys give. */
  readonly observed: number
  readonly expected: number
  /** Probability of it under the null, from the draws made; never less than one in them. */
  readonly p: number
}

/** Polls of a key from the times of its requests, milliseconds ascending. */
export function pollsOf(app: number, times: readonly number[], { polls: { silenceMs } }: Tuning): PolledKey {
  const polls = times.filter((time, i) => i === 0 || time - (times[i - 1] ?? 0) > silenceMs)
  const gaps = polls.slice(1).map((time, i) => time - (polls[i] ?? 0))
  if (gaps.length < 5) return { app, polls, periodMs: 0, regularity: 0 }
  const periodMs = median(gaps)
  const near = gaps.filter((gap) => Math.abs(gap - periodMs) <= periodMs * 0.1).length
  return { app, polls, periodMs, regularity: near / gaps.length }
}

/** Circular mean of phases, 0..1, and how alike they are (resultant length, 0..1). */
function circular(phases: readonly number[]): { readonly mean: number; readonly length: number } {
  let x = 0
  let y = 0
  for (const phase of phases) {
    x += Math.cos(2 * Math.PI * phase)
    y += Math.sin(2 * Math.PI * phase)
  }
  const mean = (Math.atan2(y, x) / (2 * Math.PI) + 1) % 1
  return { mean, length: Math.hypot(x, y) / Math.max(1, phases.length) }
}

/** Coefficient of variation of the gaps between sorted phases around the circle. */
function staggerOf(phases: readonly number[]): number {
  const sorted = phases.toSorted((x, y) => x - y)
  const gaps = sorted.map((phase, i) => (i === 0 ? phase + 1 - (sorted.at(-1) ?? 0) : phase - (sorted[i - 1] ?? 0)))
  const mean = 1 / gaps.length
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean
}

/** Keys whose period is that of the others: the largest set within 10 % of one key's period. */
function onOnePeriod(keys: readonly PolledKey[]): { readonly periodMs: number; readonly keys: readonly PolledKey[] } {
  let best: { periodMs: number; keys: readonly PolledKey[] } = { periodMs: 0, keys: [] }
  for (const { periodMs } of keys) {
    const alike = keys.filter((key) => Math.abs(key.periodMs - periodMs) <= periodMs * 0.1)
    if (alike.length > best.keys.length) best = { periodMs: median(alike.map((key) => key.periodMs)), keys: alike }
  }
  return best
}

/** Phase of each key within spans of `spanMs`, where it polled at least three times and keeps its phase. */
function phasesBySpan(keys: readonly PolledKey[], periodMs: number, spanMs: number): Map<number, Map<number, number>> {
  const spans = new Map<number, Map<number, number>>()
  for (const key of keys) {
    for (const [span, polls] of Map.groupBy(key.polls, (time) => Math.floor(time / spanMs))) {
      const { mean, length } = circular(polls.map((time) => (time % periodMs) / periodMs))
      if (polls.length < 3 || length < 0.7) continue
      const phases = spans.get(span) ?? new Map<number, number>()
      phases.set(key.app, mean)
      spans.set(span, phases)
    }
  }
  return spans
}

/** Share of draws of `keys` uniform phases that are at least as evenly staggered. */
function staggerTail(keys: number, observed: number, draws: number): { readonly p: number; readonly expected: number } {
  const random = seededRandom(keys * 7919)
  const values = Array.from({ length: draws }, () => staggerOf(Array.from({ length: keys }, random)))
  return { p: (values.filter((value) => value <= observed).length + 1) / (draws + 1), expected: median(values) }
}

function schedule(keys: readonly PolledKey[], tuning: Tuning): OneProcess | undefined {
  const { polls } = tuning
  const { periodMs, keys: alike } = onOnePeriod(keys)
  if (alike.length < polls.keysMin || periodMs <= 0) return undefined
  const spanMs = Math.max(polls.spanMs, periodMs * 6)
  const spans = [...phasesBySpan(alike, periodMs, spanMs).values()].filter(
    (phases) => phases.size * 2 >= alike.length && phases.size >= polls.keysMin,
  )
  if (spans.length === 0) return undefined
  const staggers = spans.map((phases) => staggerOf([...phases.values()]))
  const stagger = median(staggers)
  const size = Math.round(median(spans.map((phases) => phases.size)))
  const tail = staggerTail(size, stagger, polls.draws)
  const apps = alike.map((key) => key.app)
  if (stagger <= polls.staggerMax && tail.p <= polls.pMax) {
    return { proof: 'even_stagger', apps, observed: stagger, expected: tail.expected, p: tail.p }
  }
  const lengths = spans.map((phases) => circular([...phases.values()]).length)
  const length = median(lengths)
  const onTheClock = spans.map((phases) => {
    const values = [...phases.values()]
    const near = values.filter((phase) => {
      const second = ((phase * periodMs) % MINUTE_MS) / 1000
      return second <= polls.clockSeconds || second >= 60 - polls.clockSeconds
    })
    return near.length / values.length
  })
  if (length < polls.momentMin || median(onTheClock) >= 0.5) return undefined
  return {
    proof: 'one_moment',
    apps,
    observed: length,
    expected: 1 / Math.sqrt(size),
    p: Math.max(1e-12, Math.exp(-size * length * length)),
  }
}

/** Keys whose phases move together from one span to the next, by more than they waver. */
function commonRestart(keys: readonly PolledKey[], tuning: Tuning): OneProcess | undefined {
  const { polls } = tuning
  const { periodMs, keys: alike } = onOnePeriod(keys)
  if (alike.length < polls.keysMin || periodMs <= 0) return undefined
  const spans = [...phasesBySpan(alike, periodMs, Math.max(polls.spanMs, periodMs * 6))].toSorted(([x], [y]) => x - y)
  let best: OneProcess | undefined
  const together: { readonly span: number; readonly move: number }[] = []
  for (const [i, [, phases]] of spans.entries()) {
    // The restart lies within a span, so spans that stand two apart are compared.
    const earlier = spans[i - 2]?.[1]
    if (earlier === undefined) continue
    const moves = [...phases].flatMap(([app, phase]) => {
      const before = earlier.get(app)
      return before === undefined ? [] : [{ app, before, move: (phase - before + 1) % 1 }]
    })
    const moved = moves.filter(({ move }) => Math.min(move, 1 - move) > polls.restartMoveMin)
    if (moved.length < polls.keysMin || moved.length < moves.length * polls.fateShareMin) continue
    if (moved.length * 2 < alike.length) continue
    const { mean, length } = circular(moved.map(({ move }) => move))
    // Where all phases are one anyway, moving together says nothing more.
    if (length < polls.momentMin || circular(moved.map(({ before }) => before)).length > polls.restartSpreadMax)
      continue
    const apps = moved.map(({ app }) => app).toSorted((x, y) => x - y)
    together.push({ span: i, move: mean })
    // An upper bound of the tail. A handful of phases move alike by chance, and a day has ten moments at which they may.
    const p = Math.max(1e-12, Math.exp(-moved.length * length * length))
    if (p > polls.pMax) continue
    if (best === undefined || apps.length > best.apps.length) {
      best = { proof: 'common_restart', apps, observed: length, expected: 1 / Math.sqrt(moved.length), p }
    }
  }
  // What moves by one amount again and again has drifted: a period a little off the median's is common to all who deployed one program. A restart shows
  // in three comparisons at most, all of them neighbours.
  const isDrift = together.some(({ span, move }) =>
    together.some(
      (other) => other.span - span > 2 && Math.abs(((other.move - move + 1.5) % 1) - 0.5) < polls.restartMoveMin,
    ),
  )
  return isDrift ? undefined : best
}

/** Minutes in which a key missed polls, as half-open intervals of minutes. */
function silencesOf(key: PolledKey): (readonly [from: number, to: number])[] {
  const silences: (readonly [number, number])[] = []
  for (let i = 1; i < key.polls.length; i += 1) {
    const before = key.polls[i - 1] ?? 0
    const next = key.polls[i] ?? 0
    if (next - before <= key.periodMs * 1.8) continue
    const from = Math.ceil((before + key.periodMs * 1.1) / MINUTE_MS)
    const to = Math.floor(next / MINUTE_MS)
    if (to > from) silences.push([from, to])
  }
  return silences
}

/** Pairs of keys that are silent in one minute, summed over minutes; and the minutes' counts. */
function commonSilence(
  silences: readonly (readonly (readonly [number, number])[])[],
  minutes: number,
  shifts: readonly number[] | undefined,
  leftOut: ReadonlySet<number>,
): { readonly pairs: number; readonly counts: Int32Array } {
  const counts = new Int32Array(minutes)
  for (const [i, intervals] of silences.entries()) {
    const shift = shifts?.[i] ?? 0
    for (const [from, to] of intervals) {
      for (let minute = from; minute < to; minute += 1) {
        const at = (minute + shift) % minutes
        counts[at] = (counts[at] ?? 0) + 1
      }
    }
  }
  let pairs = 0
  for (let minute = 0; minute < minutes; minute += 1) {
    const n = counts[minute] ?? 0
    if (!leftOut.has(minute)) pairs += (n * (n - 1)) / 2
  }
  return { pairs, counts }
}

/** Runs of minutes in which at least `least` keys are silent. */
function eventsOf(counts: Int32Array, least: number, leftOut: ReadonlySet<number>): number[][] {
  const events: number[][] = []
  let open: number[] = []
  for (let minute = 0; minute <= counts.length; minute += 1) {
    if (minute < counts.length && (counts[minute] ?? 0) >= least && !leftOut.has(minute)) open.push(minute)
    else if (open.length > 0) {
      events.push(open)
      open = []
    }
  }
  return events
}

function commonFate(
  keys: readonly PolledKey[],
  outages: ReadonlySet<number>,
  windowMs: number,
  tuning: Tuning,
): OneProcess | undefined {
  const { polls } = tuning
  const minutes = Math.ceil(windowMs / MINUTE_MS)
  const silences = keys.map((key) => silencesOf(key))
  const observed = commonSilence(silences, minutes, undefined, outages)
  const events = eventsOf(observed.counts, Math.max(3, Math.ceil(keys.length * polls.fateShareMin)), outages)
  if (events.length < polls.fateEventsMin) return undefined
  const random = seededRandom(keys.length * 104_729)
  const shifted = Array.from({ length: polls.fateShifts }, () => {
    const shifts = keys.map(() => Math.floor(random() * minutes))
    return commonSilence(silences, minutes, shifts, outages).pairs
  })
  const mean = shifted.reduce((sum, value) => sum + value, 0) / shifted.length
  const sd = Math.sqrt(shifted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / shifted.length)
  const z = (observed.pairs - mean) / Math.max(sd, 1)
  if (z < polls.fateZMin) return undefined
  const inEvent = (app: number): boolean => {
    const own = silences[app] ?? []
    const hit = events.filter((event) =>
      event.some((minute) => own.some(([from, to]) => minute >= from && minute < to)),
    )
    return hit.length >= events.length * polls.fateShareMin
  }
  const apps = keys.flatMap((key, i) => (inEvent(i) ? [key.app] : []))
  if (apps.length < polls.keysMin || apps.length < keys.length * polls.fateShareMin) return undefined
  return { proof: 'common_fate', apps, observed: observed.pairs, expected: mean, p: 1 / (polls.fateShifts + 1) }
}

/** Minutes (and three on both sides) in which at least 30 % of the other residents' regular programs are silent: an outage of the place. */
export function outageMinutes(others: readonly PolledKey[], windowMs: number): Set<number> {
  const regular = others.filter((key) => key.regularity >= 0.3)
  const minutes = Math.ceil(windowMs / MINUTE_MS)
  const outages = new Set<number>()
  if (regular.length < 2) return outages
  const { counts } = commonSilence(
    regular.map((key) => silencesOf(key)),
    minutes,
    undefined,
    outages,
  )
  for (const [minute, silent] of counts.entries()) {
    if (silent < regular.length * 0.3) continue
    for (let near = minute - 3; near <= minute + 3; near += 1) outages.add(near)
  }
  return outages
}

/** Proof that one process drives these keys, or nothing. */
export function oneProcess(
  keys: readonly PolledKey[],
  outages: ReadonlySet<number>,
  windowMs: number,
  tuning: Tuning,
): OneProcess | undefined {
  const regular = keys.filter((key) => key.regularity >= tuning.polls.regularityMin)
  if (regular.length < tuning.polls.keysMin || regular.length * 2 < keys.length) return undefined
  return schedule(regular, tuning) ?? commonRestart(regular, tuning) ?? commonFate(regular, outages, windowMs, tuning)
}
