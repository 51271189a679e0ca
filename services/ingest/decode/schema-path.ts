/**
 * The authority of validation: zod (schemas/request-record.ts) decides and words the reason why a record is dead.
 *
 * Slow and complete; decode.ts asks here only what check-fields.ts was not sure of.
 */
import type { z } from 'zod'

import type { DeadLetter, DeadReason } from '#schemas/dead-letter.ts'
import { RequestRecord } from '#schemas/request-record.ts'

import { canonicalAddress } from './address.ts'
import { cutUserAgent, epochMs, upperMethod } from './fast-path.ts'
import type { JsonObject } from './formats/format.ts'
import type { LandingRecord, TimeSpan } from './landing-record.ts'
import { normaliseRoute } from './route.ts'

/** Below this, a number that should be epoch milliseconds is far more likely epoch seconds: it would be a time before 1973. */
const SECONDS_SUSPECTED_BELOW = 1e11

type Issue = z.core.$ZodIssue

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  object: 'an object',
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'number' ? 'a number' : typeof value
}

function reasonOf(issue: Issue, field: string, value: unknown): DeadReason {
  if (value === undefined || value === null) return 'missing_field'
  // A fraction where a whole number is needed is a number all the same.
  if (issue.code === 'invalid_type')
    return issue.expected === 'int' && typeof value === 'number' ? 'out_of_range' : 'wrong_type'
  if (field === 'timestamp') return typeof value === 'string' ? 'bad_timestamp' : 'wrong_type'
  return field === 'client_ip' ? 'bad_address' : 'out_of_range'
}

function detailOf(issue: Issue, reason: DeadReason, field: string, value: unknown): string {
  if (reason === 'missing_field') return `${field} is missing`
  if (field === 'timestamp') return 'timestamp must be RFC 3339 text, or epoch milliseconds as a number'
  if (issue.code === 'invalid_type') {
    return `${field} must be ${EXPECTED[issue.expected] ?? issue.expected}, not ${kindOf(value)}`
  }
  return `${field}: ${issue.message}`
}

/** The dead letter of the first issue that zod found. */
function refusal(error: z.ZodError, entry: JsonObject): DeadLetter {
  const issue = error.issues[0]
  if (issue === undefined) return { reason: 'wrong_type', detail: error.message }
  const field = String(issue.path[0] ?? 'record')
  const value = entry[field]
  const reason = reasonOf(issue, field, value)
  return { reason, detail: detailOf(issue, reason, field, value) }
}

/** Everything but what is null: null and absent are the same. */
function withoutNulls(entry: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null))
}

function timeProblem(value: string | number, span: TimeSpan): DeadLetter | undefined {
  const timestampMs = epochMs(value)
  if (timestampMs === undefined) {
    const isDigits = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
    const hint = isDigits ? ': epoch milliseconds must be a number, not text' : ''
    return { reason: 'bad_timestamp', detail: `timestamp is not RFC 3339 (2026-01-31T23:59:59.123Z)${hint}` }
  }
  if (timestampMs >= span.earliestMs && timestampMs < span.latestMs) return undefined
  const isSeconds = typeof value === 'number' && value > 0 && value < SECONDS_SUSPECTED_BELOW
  const hint = isSeconds ? '; it looks like seconds, milliseconds are expected' : ''
  return {
    reason: 'time_outside_span',
    detail: `timestamp ${String(value)} is outside ${isoTime(span.earliestMs)} to ${isoTime(span.latestMs)}${hint}`,
  }
}

function isoTime(epochMilliseconds: number): string {
  const date = new Date(epochMilliseconds)
  return Number.isNaN(date.getTime()) ? String(epochMilliseconds) : date.toISOString()
}

/** The first stored text that has no UTF-8 spelling. */
function illFormedField(record: RequestRecord): string | undefined {
  for (const name of RequestRecord.keyof().options) {
    const value = record[name]
    if (typeof value === 'string' && !value.isWellFormed()) return name
  }
  return undefined
}

/** The row of an entry, or why it is none. Total: any object gives one or the other. */
export function checkSchema(entry: JsonObject, span: TimeSpan): LandingRecord | DeadLetter {
  const present = withoutNulls(entry)
  const parsed = RequestRecord.safeParse(present)
  if (!parsed.success) return refusal(parsed.error, present)
  const record = parsed.data
  const illFormed = illFormedField(record)
  if (illFormed !== undefined) return { reason: 'not_utf8', detail: `${illFormed} holds half a surrogate pair` }
  const time = timeProblem(record.timestamp, span)
  if (time !== undefined) return time
  const clientIp = canonicalAddress(record.client_ip)
  if (clientIp === undefined)
    return { reason: 'bad_address', detail: 'client_ip is neither IPv4 nor IPv6 (without a zone or a port)' }
  return {
    timestamp_ms: epochMs(record.timestamp) ?? 0,
    app_id: record.app_id,
    client_ip: clientIp,
    method: upperMethod(record.method),
    route: normaliseRoute(record.route),
    status_code: record.status_code,
    user_id: record.user_id ?? '',
    user_agent: cutUserAgent(record.user_agent ?? ''),
    request_id: record.request_id ?? '',
    credential_id: record.credential_id ?? '',
    ratelimit_limit: record.ratelimit_limit ?? null,
    ratelimit_remaining: record.ratelimit_remaining ?? null,
    ratelimit_reset: record.ratelimit_reset ?? null,
    duration_ms: record.duration_ms ?? null,
    request_bytes: record.request_bytes ?? null,
    response_bytes: record.response_bytes ?? null,
    host: record.host ?? '',
    region: record.region ?? '',
    gateway: record.gateway ?? '',
    trace_id: record.trace_id ?? '',
  }
}
