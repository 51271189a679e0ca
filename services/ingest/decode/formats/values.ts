/**
 * Values as gateways write them, turned into the types and units of a request record.
 *
 * Guarantees: nothing throws; '' and '-' (what access logs write for "absent") become undefined; a value that cannot be
 * read is passed on as it is, so that decode.ts refuses it by name instead of a wrong number being counted.
 */
import { parseRfc3339 } from '../timestamp.ts'
import { durationTextToMs } from './durations.ts'
import type { JsonObject } from './format.ts'

/** True for a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True unless the log has nothing there: undefined, null, '' or '-'. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== '-'
}

/** Stands before the digits of a number that a double has rounded: two low surrogates, which no well-formed text has side by side. */
const INEXACT = '\udfff\udfff'

/** True for text made from a whole number beyond 2^53, whose last digits are lost: decode.ts reads the line again, exactly. */
export function isInexact(text: string): boolean {
  return text.includes(INEXACT)
}

/** Text of a string or a number (some gateways write numeric ids bare); undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' || value === '-' ? undefined : value
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? `${INEXACT}${value}` : String(value)
}

/** Number() takes more than decimals: 0x10, 0b1, 0o7, Infinity, and blanks for 0. */
const NOT_DECIMAL = /^\s*(?:0[xbo]|$)|I/i

/** A number, also from a string that is one in decimal. Absent: undefined. Unreadable: the value itself, for decode.ts to tell of. */
export function numberOf(value: unknown): unknown {
  if (typeof value === 'number') return value
  if (!isPresent(value)) return undefined
  if (typeof value !== 'string') return value
  const number = Number(value)
  if (number > 0 && number < Number.POSITIVE_INFINITY && value.charCodeAt(0) > 48) return number
  return Number.isNaN(number) || NOT_DECIMAL.test(value) ? value : number
}

/** Units that logs give times and durations in. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns'

/** How many of a unit make a millisecond. */
const UNITS_PER_MS = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 } as const

/**
 * Milliseconds from a number (or its text) in another unit, rounded to a microsecond to lose binary dust (1.005 s is 1005 ms). Text that
 * names its units itself ("0.231s", "6m0s", "PT1S") is read by those.
 */
export function millisecondsOf(value: unknown, unit: TimeUnit): unknown {
  const number = numberOf(value)
  if (typeof number === 'string') return durationTextToMs(number) ?? number
  if (typeof number !== 'number' || unit === 'ms') return number
  return Math.round((number * 1e3) / UNITS_PER_MS[unit]) / 1e3
}

/** Epoch nanoseconds as epoch milliseconds. Text is cut, not multiplied: 19 digits do not fit a double. */
export function nanosecondsToEpochMs(value: unknown): unknown {
  if (typeof value === 'number') return Math.floor(value / 1e6)
  if (typeof value !== 'string') return undefined
  return /^\d{7,20}$/.test(value) ? Number(value.slice(0, -6)) : textOf(value)
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const COMMON_LOG_TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ([+-]\d{4})$/

/** "09/Apr/2026:12:34:56 +0000" (Common Log Format: $time_local, $context.requestTime) as epoch ms; undefined when it is not that. */
export function commonLogTimeToEpochMs(text: string): number | undefined {
  const [, day = '', monthName = '', year = '', time = '', zone = ''] = COMMON_LOG_TIME.exec(text) ?? []
  const month = MONTHS.indexOf(monthName)
  if (day === '' || month < 0 || month % 3 !== 0) return undefined
  return parseRfc3339(`${year}-${String(month / 3 + 1).padStart(2, '0')}-${day}T${time}${zone}`)
}

const SPACED = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:[.,]\d+)?) ?(UTC|Z|[+-]\d{2}:?\d{2})$/

/**
 * A time as decode.ts takes it: epoch ms as a number, or RFC 3339. Reads epoch ms written as text, Common Log Format,
 * and "2026-04-09 12:34:56.789 UTC". Anything else is passed on as it is; a time without a zone is never guessed to be in one.
 */
export function timestampOf(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? undefined
  if (value === '' || value === '-') return undefined
  if (value.charCodeAt(2) === 47) return commonLogTimeToEpochMs(value) ?? value
  if (/^\d{10,19}(?:\.\d+)?$/.test(value)) return Number(value)
  if (value.charCodeAt(10) !== 32) return value
  return value.replace(
    SPACED,
    (_, date: string, time: string, zone: string) => `${date}T${time}${zone === 'UTC' ? 'Z' : zone}`,
  )
}

/** A host without its port ("api.example.com:8443"). Addresses in brackets stay whole. */
export function hostOf(value: unknown): string | undefined {
  const text = textOf(value)
  if (text === undefined) return undefined
  const colon = text.indexOf(':')
  return colon > 0 && text.lastIndexOf(':') === colon ? text.slice(0, colon) : text
}
