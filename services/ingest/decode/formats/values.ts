/**
 * Values as gateways write them, turned into the types and units of a request record.
 *
 * Guarantees: nothing throws; '' and '-' (what access logs write for "absent") become undefined; a value that cannot be
 * read is passed on as it is, so that decode.ts refuses it by name instead of a wrong number being counted.
 */
import type { JsonObject } from './format.ts'

/** True for a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True unless the log has nothing there: undefined, null, '' or '-'. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== '-'
}

/** Text of a string or a number (some gateways write numeric ids bare); undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' || value === '-' ? undefined : value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/** A number, also from a string that holds one. Absent: undefined. Unreadable: the value itself, for decode.ts to refuse. */
export function numberOf(value: unknown): unknown {
  if (typeof value === 'number') return value
  if (!isPresent(value)) return undefined
  if (typeof value !== 'string') return value
  const number = Number(value)
  return Number.isFinite(number) && value.trim() !== '' ? number : value
}

/** Units that logs give times and durations in. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns'

/** How many of a unit make a millisecond. */
const UNITS_PER_MS = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 } as const

/** Milliseconds from a number (or its text) in another unit, rounded to a microsecond to lose binary dust (1.005 s is 1005 ms). */
export function millisecondsOf(value: unknown, unit: TimeUnit): unknown {
  const number = numberOf(value)
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
const COMMON_LOG_TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/

/** "09/Apr/2026:12:34:56 +0000" (Common Log Format: $time_local, $context.requestTime) as epoch ms; undefined when it is not that. */
export function commonLogTimeToEpochMs(text: string): number | undefined {
  const match = COMMON_LOG_TIME.exec(text)
  if (match === null) return undefined
  const [
    ,
    day = '',
    monthName = '',
    year = '',
    hour = '',
    minute = '',
    second = '',
    sign = '',
    zoneHour = '',
    zoneMinute = '',
  ] = match
  const month = MONTHS.indexOf(monthName)
  if (month < 0 || month % 3 !== 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  const midnight = Date.UTC(Number(year), month / 3, Number(day))
  // Date.UTC turns 31 February into 3 March without a word.
  if (new Date(midnight).getUTCDate() !== Number(day)) return undefined
  const zoneMinutes = (sign === '-' ? -1 : 1) * (Number(zoneHour) * 60 + Number(zoneMinute))
  return midnight + ((Number(hour) * 60 + Number(minute) - zoneMinutes) * 60 + Number(second)) * 1000
}

const SPACED_UTC = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?: ?UTC| ?Z|\+00:00)?$/

/**
 * A time as decode.ts takes it: epoch ms as a number, or RFC 3339. Reads epoch ms written as text, Common Log Format,
 * and "2026-04-09 12:34:56.789 UTC". Anything else is passed on as it is.
 */
export function timestampOf(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? undefined
  if (value === '' || value === '-') return undefined
  if (value.charCodeAt(2) === 47) return commonLogTimeToEpochMs(value) ?? value
  if (/^\d{10,17}(?:\.\d+)?$/.test(value)) return Number(value)
  if (value.charCodeAt(10) !== 32) return value
  return value.replace(SPACED_UTC, '$1T$2Z')
}

/** A host without its port ("api.example.com:8443"). Addresses in brackets stay whole. */
export function hostOf(value: unknown): string | undefined {
  const text = textOf(value)
  if (text === undefined) return undefined
  const colon = text.indexOf(':')
  return colon > 0 && text.lastIndexOf(':') === colon ? text.slice(0, colon) : text
}
