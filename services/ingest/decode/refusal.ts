/**
 * Why a record is dead, in words: which field, what it must be, and what was found there. Numbers are shown, text is not: it may be a
 * secret that stands in the wrong place.
 */
import type { DeadLetter } from '#schemas/dead-letter.ts'

import { isPresent } from './formats/values.ts'
import type { TimeSpan } from './landing-record.ts'

/** What stands there, for people. */
export function found(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return value === null ? 'null' : 'an object'
  if (typeof value === 'string') return value === '' ? 'empty text' : `text of ${value.length} characters`
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'a number too large to be read'
  return typeof value === 'boolean' ? String(value) : typeof value
}

/** The dead letter of a required field that is absent, or has another type than `expected` says. */
export function unusable(field: string, value: unknown, expected: string): DeadLetter {
  if (!isPresent(value)) return { reason: 'missing_field', detail: `${field} is missing` }
  return { reason: 'wrong_type', detail: `${field} must be ${expected}, found ${found(value)}` }
}

/** What a number is in all likelihood that is no time in milliseconds of this century: magnitudes of the years 2001 to 2286. */
function likelyUnit(value: number): string | undefined {
  if (value >= 1e9 && value < 1e10) return 'seconds'
  if (value >= 1e15 && value < 1e16) return 'microseconds'
  return value >= 1e18 && value < 1e19 ? 'nanoseconds' : undefined
}

function isoTime(epochMilliseconds: number): string {
  const date = new Date(epochMilliseconds)
  return Number.isNaN(date.getTime()) ? String(epochMilliseconds) : date.toISOString()
}

/** A time that was read, but lies outside the span that is believed. `value` as the record has it. */
export function outsideSpan(value: number | string, timestampMs: number, span: TimeSpan): DeadLetter {
  const unit = typeof value === 'number' ? likelyUnit(value) : undefined
  const hint = unit === undefined ? '' : `; it looks like ${unit}, milliseconds are expected`
  const told = typeof value === 'number' ? String(value) : isoTime(timestampMs)
  return {
    reason: 'time_outside_span',
    detail: `timestamp ${told} is outside ${isoTime(span.earliestMs)} to ${isoTime(span.latestMs)}${hint}`,
  }
}

const DATE = /^\d{4}-\d{2}-\d{2}/

/** Text that is no time. */
export function notATime(text: string): DeadLetter {
  const isZoneless = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?$/.test(text)
  const what = isZoneless
    ? 'a time without a zone (Z or +hh:mm)'
    : DATE.test(text)
      ? 'a date without a whole time, or one that does not exist'
      : found(text)
  return { reason: 'bad_timestamp', detail: `timestamp is not RFC 3339 (2026-01-31T23:59:59.123Z), found ${what}` }
}
