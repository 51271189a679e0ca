/**
 * The fast path of validation: what schemas/request-record.ts says, written out by hand.
 *
 * It answers "accepted, and here is the row" or "not sure"; whatever it is not sure of goes to repair.ts, which cleans what can be and
 * words the reason. A property test holds the two together: what is accepted here, repair.ts gives unchanged. It exists because anything
 * more general costs more than the rest of the path.
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

/** Most characters of each text field. A user agent is cut there rather than refused: its tail identifies nobody. */
export const CHARS_MAX = {
  app_id: charsMax(shape.app_id),
  client_ip: charsMax(shape.client_ip),
  method: charsMax(shape.method),
  route: charsMax(shape.route),
  user_id: charsMax(shape.user_id),
  request_id: charsMax(shape.request_id),
  credential_id: charsMax(shape.credential_id),
  user_agent: USER_AGENT_MAX_CHARS,
  host: charsMax(shape.host),
  region: charsMax(shape.region),
  gateway: charsMax(shape.gateway),
  trace_id: charsMax(shape.trace_id),
} as const
type CharsMax = Readonly<Record<keyof typeof CHARS_MAX, number>>

/** For fields whose lengths have been seen to. */
export const UNBOUNDED: CharsMax = {
  app_id: Number.POSITIVE_INFINITY,
  client_ip: Number.POSITIVE_INFINITY,
  method: Number.POSITIVE_INFINITY,
  route: Number.POSITIVE_INFINITY,
  user_id: Number.POSITIVE_INFINITY,
  request_id: Number.POSITIVE_INFINITY,
  credential_id: Number.POSITIVE_INFINITY,
  user_agent: Number.POSITIVE_INFINITY,
  host: Number.POSITIVE_INFINITY,
  region: Number.POSITIVE_INFINITY,
  gateway: Number.POSITIVE_INFINITY,
  trace_id: Number.POSITIVE_INFINITY,
}

/** Text of 1..max characters, or undefined; '-' is what access logs write for nothing. */
function required(value: unknown, max: number): string | undefined {
  return typeof value === 'string' && value.length > 0 && value.length <= max && value !== '-' && value.isWellFormed()
    ? value
    : undefined
}

/** Text of at most `max` characters, '' when absent ('-' included), undefined when not sure. */
function optional(value: unknown, max: number): string | undefined {
  if (value === undefined || value === null || value === '-') return ''
  return typeof value === 'string' && value.length <= max && value.isWellFormed() ? value : undefined
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

const COMMON_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

export function upperMethod(method: string): string {
  return COMMON_METHODS.has(method) ? method : method.toUpperCase()
}

/** The fields without which there is no record. */
type RequiredFields = Pick<LandingRecord, 'timestamp_ms' | 'app_id' | 'client_ip' | 'method' | 'route' | 'status_code'>

function checkRequired(entry: JsonObject, span: TimeSpan, max: CharsMax): RequiredFields | undefined {
  const timestampMs = epochMs(entry['timestamp'])
  if (timestampMs === undefined || timestampMs < span.earliestMs || timestampMs >= span.latestMs) return undefined
  const appId = required(entry['app_id'], max.app_id)
  const address = required(entry['client_ip'], max.client_ip)
  const method = required(entry['method'], max.method)
  const route = required(entry['route'], max.route)
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
export function checkFields(entry: JsonObject, span: TimeSpan, max: CharsMax = CHARS_MAX): LandingRecord | undefined {
  const fields = checkRequired(entry, span, max)
  if (fields === undefined) return undefined
  const userId = optional(entry['user_id'], max.user_id)
  const userAgent = optional(entry['user_agent'], max.user_agent)
  const requestId = optional(entry['request_id'], max.request_id)
  const credentialId = optional(entry['credential_id'], max.credential_id)
  if (userId === undefined || userAgent === undefined || requestId === undefined) return undefined
  const host = optional(entry['host'], max.host)
  const region = optional(entry['region'], max.region)
  const gateway = optional(entry['gateway'], max.gateway)
  const traceId = optional(entry['trace_id'], max.trace_id)
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
    user_id: userId === fields.app_id ? '' : userId,
    user_agent: userAgent,
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
