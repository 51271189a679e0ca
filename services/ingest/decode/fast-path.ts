/**
 * The fast path of validation: what schemas/request-record.ts says, written out by hand.
 *
 * It answers "accepted, and here is the row" or "not sure"; whatever it is not sure of goes to check-schema.ts, where zod decides and words the
 * reason. It must accept only what zod accepts (a property test holds the two together), and it exists because zod alone
 * costs more than the rest of the path.
 */
import { z } from 'zod'

import { RequestRecord, UINT32_MAX, USER_AGENT_MAX_CHARS } from '#schemas/request-record.ts'

import { canonicalAddress } from './address.ts'
import type { JsonObject } from './formats/format.ts'
import type { LandingRecord, TimeSpan } from './landing-record.ts'
import { normaliseRoute } from './route.ts'
import { parseRfc3339 } from './timestamp.ts'

/** Longest timestamp text that the schema allows. */
const TIMESTAMP_MAX_CHARS = 64

/** Most characters of a text field, as the schema has it. */
function charsMax(schema: z.ZodString | z.ZodOptional<z.ZodString>): number {
  return (schema instanceof z.ZodOptional ? schema.unwrap() : schema).maxLength ?? Number.POSITIVE_INFINITY
}

const { shape } = RequestRecord
const CHARS_MAX = {
  app_id: charsMax(shape.app_id),
  client_ip: charsMax(shape.client_ip),
  method: charsMax(shape.method),
  route: charsMax(shape.route),
  user_id: charsMax(shape.user_id),
  request_id: charsMax(shape.request_id),
  credential_id: charsMax(shape.credential_id),
  user_agent: charsMax(shape.user_agent),
  host: charsMax(shape.host),
  region: charsMax(shape.region),
  gateway: charsMax(shape.gateway),
  trace_id: charsMax(shape.trace_id),
} as const

/** Text of 1..max characters, or undefined. */
function required(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value.length > 0 && value.length <= max && value.isWellFormed()
    ? value
    : undefined
}

/** Text of min..max characters, '' when absent, undefined when not sure. */
function optional(value: unknown, min: number, max: number): string | undefined {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' && value.length >= min && value.length <= max && value.isWellFormed()
    ? value
    : undefined
}

/** Integer of 0..max, null when absent, undefined when not sure. */
function count(value: unknown, max: number): number | null | undefined {
  if (value === undefined || value === null) return null
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? value : undefined
}

/** Milliseconds, null when absent, undefined when not sure. */
function duration(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null
  return typeof value === 'number' && value >= 0 && value <= UINT32_MAX ? value : undefined
}

/** Epoch milliseconds of a timestamp field; undefined when it is none. Fractions of a millisecond are rounded. */
export function epochMs(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value) : undefined
  return typeof value === 'string' && value.length <= TIMESTAMP_MAX_CHARS ? parseRfc3339(value) : undefined
}

/** A user agent cut at its limit, never through the middle of a character. */
export function cutUserAgent(text: string): string {
  if (text.length <= USER_AGENT_MAX_CHARS) return text
  const last = text.charCodeAt(USER_AGENT_MAX_CHARS - 1)
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff
  return text.slice(0, isHighSurrogate ? USER_AGENT_MAX_CHARS - 1 : USER_AGENT_MAX_CHARS)
}

const COMMON_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

export function upperMethod(method: string): string {
  return COMMON_METHODS.has(method) ? method : method.toUpperCase()
}

/** The fields without which there is no record. */
type RequiredFields = Pick<LandingRecord, 'timestamp_ms' | 'app_id' | 'client_ip' | 'method' | 'route' | 'status_code'>

function checkRequired(entry: JsonObject, span: TimeSpan): RequiredFields | undefined {
  const timestampMs = epochMs(entry['timestamp'])
  if (timestampMs === undefined || timestampMs < span.earliestMs || timestampMs >= span.latestMs) return undefined
  const appId = required(entry['app_id'], CHARS_MAX.app_id)
  const address = required(entry['client_ip'], CHARS_MAX.client_ip)
  const method = required(entry['method'], CHARS_MAX.method)
  const route = required(entry['route'], CHARS_MAX.route)
  const status = entry['status_code']
  if (appId === undefined || address === undefined || method === undefined || route === undefined) return undefined
  if (typeof status !== 'number' || !Number.isInteger(status)) return undefined
  if (status !== 0 && (status < 100 || status > 599)) return undefined
  const clientIp = canonicalAddress(address)
  if (clientIp === undefined) return undefined
  return {
    timestamp_ms: timestampMs,
    app_id: appId,
    client_ip: clientIp,
    method: upperMethod(method),
    route: normaliseRoute(route),
    status_code: status,
  }
}

/** The row of an entry that is beyond doubt a request record with a time inside the span; else undefined. */
export function checkFields(entry: JsonObject, span: TimeSpan): LandingRecord | undefined {
  const fields = checkRequired(entry, span)
  if (fields === undefined) return undefined
  const userId = optional(entry['user_id'], 1, CHARS_MAX.user_id)
  const userAgent = optional(entry['user_agent'], 0, CHARS_MAX.user_agent)
  const requestId = optional(entry['request_id'], 1, CHARS_MAX.request_id)
  const credentialId = optional(entry['credential_id'], 1, CHARS_MAX.credential_id)
  if (userId === undefined || userAgent === undefined || requestId === undefined) return undefined
  const host = optional(entry['host'], 0, CHARS_MAX.host)
  const region = optional(entry['region'], 0, CHARS_MAX.region)
  const gateway = optional(entry['gateway'], 0, CHARS_MAX.gateway)
  const traceId = optional(entry['trace_id'], 0, CHARS_MAX.trace_id)
  if (credentialId === undefined || host === undefined || region === undefined) return undefined
  const limit = count(entry['ratelimit_limit'], UINT32_MAX)
  const remaining = count(entry['ratelimit_remaining'], UINT32_MAX)
  const reset = count(entry['ratelimit_reset'], UINT32_MAX)
  const durationMs = duration(entry['duration_ms'])
  const requestBytes = count(entry['request_bytes'], Number.MAX_SAFE_INTEGER)
  const responseBytes = count(entry['response_bytes'], Number.MAX_SAFE_INTEGER)
  if (gateway === undefined || traceId === undefined || limit === undefined || remaining === undefined) return undefined
  if (reset === undefined || durationMs === undefined) return undefined
  if (requestBytes === undefined || responseBytes === undefined) return undefined
  return {
    timestamp_ms: fields.timestamp_ms,
    app_id: fields.app_id,
    client_ip: fields.client_ip,
    method: fields.method,
    route: fields.route,
    status_code: fields.status_code,
    user_id: userId,
    user_agent: cutUserAgent(userAgent),
    request_id: requestId,
    credential_id: credentialId,
    ratelimit_limit: limit,
    ratelimit_remaining: remaining,
    ratelimit_reset: reset,
    duration_ms: durationMs,
    request_bytes: requestBytes,
    response_bytes: responseBytes,
    host,
    region,
    gateway,
    trace_id: traceId,
  }
}
