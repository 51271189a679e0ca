/** Durations with their units in the text, as programs print them: read whole, or not at all. */

const MS_BY_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // Both micro signs: U+00B5 and U+03BC.
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
}

/** Longest text that is a duration. */
const DURATION_MAX_CHARS = 64

const PARTS = /^(?:\d+(?:\.\d+)?\s?[a-z\u00b5\u03bc]+\s?)+$/
const PART = /(\d+(?:\.\d+)?)\s?([a-z\u00b5\u03bc]+)/g
/** ISO 8601 as Java prints it: PT0.35S, PT1H2M, P1DT1S. Months and years have no length. */
const ISO = /^P(?!$)(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/i

/** Milliseconds of `6m0s`, `0.144577s`, `12 ms`, `PT0.35S`; undefined for anything else, a number without a unit included. */
export function durationTextToMs(text: string): number | undefined {
  if (text.length > DURATION_MAX_CHARS) return undefined
  const iso = ISO.exec(text)
  if (iso !== null) {
    const [days, hours, minutes, seconds] = iso.slice(1).map((part) => Number((part ?? '0').replace(',', '.')))
    return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + dustFree((seconds ?? 0) * 1000)
  }
  if (!PARTS.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit = ''] of text.matchAll(PART)) {
    const milliseconds = Object.hasOwn(MS_BY_UNIT, unit) ? MS_BY_UNIT[unit] : undefined
    if (milliseconds === undefined) return undefined
    sum += Number(amount) * milliseconds
  }
  return dustFree(sum)
}

/** Rounded to a nanosecond: 0.144577 s is 144.577 ms. */
function dustFree(milliseconds: number): number {
  return Math.round(milliseconds * 1e6) / 1e6
}
