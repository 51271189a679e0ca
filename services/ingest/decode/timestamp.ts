/**
 * RFC 3339 text to epoch milliseconds, strictly; of ISO 8601 also what loggers write by default: offsets in the basic format (+0530,
 * +05: strftime's %z) and a comma before the fraction.
 *
 * `Date.parse` takes far too much ("2026", "1 Jan", local times without an offset) and turns 30 February into 2 March. Here a text is
 * a date that exists, with an offset, or it is undefined. Digits beyond the millisecond are cut. A leap second (23:59:60 UTC) counts
 * as the second after it, as POSIX clocks do.
 * Source: RFC 3339 section 5.6; days from a civil date by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const SECOND_MS = 1000

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const

/** The number that two digits at `at` spell; NaN where one of them is no digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const units = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : Number.NaN
}

/** Epoch days of a date that exists in the proleptic Gregorian calendar, else NaN. */
function epochDays(year: number, month: number, day: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 && isLeap ? 29 : (MONTH_DAYS[month - 1] ?? 0)
  if (!(day >= 1 && day <= days)) return Number.NaN
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** Offset from UTC in milliseconds of "Z", "+hh:mm", "+hhmm" or "+hh" (and with "-") from `at` to the end of the text, else NaN. */
function offsetMs(text: string, at: number): number {
  const sign = text.charCodeAt(at)
  const length = text.length - at
  if (sign === 90 || sign === 122) return length === 1 ? 0 : Number.NaN
  if (sign !== 43 && sign !== 45) return Number.NaN
  const isExtended = length === 6 && text.charCodeAt(at + 3) === 58
  if (!isExtended && length !== 5 && length !== 3) return Number.NaN
  const hours = twoDigits(text, at + 1)
  const minutes = length === 3 ? 0 : twoDigits(text, isExtended ? at + 4 : at + 3)
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  return (hours * HOUR_MS + minutes * MINUTE_MS) * (sign === 43 ? 1 : -1)
}

/** True when "yyyy-mm-ddThh:mm:ss" has its punctuation; RFC 3339 allows 't' and a space for the 'T'. */
function isPunctuated(text: string): boolean {
  const separator = text.charCodeAt(10)
  return (
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(7) === 45 &&
    (separator === 84 || separator === 116 || separator === 32) &&
    text.charCodeAt(13) === 58 &&
    text.charCodeAt(16) === 58
  )
}

/** Epoch milliseconds of RFC 3339 text; undefined when it is anything else, or a date or time that does not exist. */
export function parseRfc3339(text: string): number | undefined {
  if (text.length < 20 || !isPunctuated(text)) return undefined
  const day = epochDays(twoDigits(text, 0) * 100 + twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8))
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  let at = 19
  let fraction = 0
  const mark = text.charCodeAt(at)
  if (mark === 46 || mark === 44) {
    const first = at + 1
    for (at = first; at < text.length; at += 1) {
      const digit = text.charCodeAt(at) - 48
      if (digit < 0 || digit > 9) break
      if (at - first < 3) fraction = fraction * 10 + digit
    }
    if (at === first) return undefined
    for (let digits = at - first; digits < 3; digits += 1) fraction *= 10
  }
  const offset = offsetMs(text, at)
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return undefined
  const epochMs = day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction - offset
  if (Number.isNaN(epochMs)) return undefined
  // A leap second is the last one of a UTC day, so the instant after it is midnight: anything else with :60 does not exist.
  if (second === 60 && (epochMs - fraction) % DAY_MS !== 0) return undefined
  return epochMs
}
