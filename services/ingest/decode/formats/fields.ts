/**
 * The canonical fields, and how a format is told in terms of them: one table that has a reader for each.
 *
 * The names are those of the request record (schemas/request-record.ts) and typed: a table that misspells a field or leaves one out
 * does not compile. A reader finds a value; what it is turned into is the same for all formats and stands here once.
 */
import type { z } from 'zod'

import { RequestRecord } from '#schemas/request-record.ts'

import type { FormatOptions, JsonObject } from './format.ts'
import { resetSeconds, type RateLimit } from './rate-limit.ts'
import { hostOf, millisecondsOf, nanosecondsToEpochMs, numberOf, textOf, timestampOf, type TimeUnit } from './values.ts'

export const FieldName = RequestRecord.keyof()
export type FieldName = z.infer<typeof FieldName>

/** Finds the value of one field in what a line holds; undefined when it is not there. */
export type Reader<Source = JsonObject> = (source: Source, options: FormatOptions) => unknown

/** Fields that come together, from one set of headers. */
type RateLimitField = `ratelimit_${keyof RateLimit}`

/** Requests allowed, left and until when, as the log has them: numbers, or what decode.ts shall refuse by name. */
type FoundLimit = Readonly<Partial<Record<keyof RateLimit, unknown>>>

/** A reader for each field. A field that a format has no place for is `absent`. */
export type FieldTable<Source = JsonObject> = Readonly<
  Record<Exclude<FieldName, RateLimitField>, Reader<Source>> & Record<'ratelimit', (source: Source) => FoundLimit>
>

/** For fields that a format has no place for. */
export function absent(): undefined {
  return undefined
}

/** Epoch milliseconds from a time in another unit; text that is no number is read as any other time. */
export function epochIn<Source>(unit: TimeUnit, read: (source: Source) => unknown): (source: Source) => unknown {
  return (source) => (unit === 'ns' ? nanosecondsToEpochMs(read(source)) : millisecondsOf(read(source), unit))
}

/** Milliseconds from a duration in another unit. */
export function durationIn<Source>(unit: TimeUnit, read: (source: Source) => unknown): (source: Source) => unknown {
  return (source) => millisecondsOf(read(source), unit)
}

/** Seconds from a number or text; what is neither a number, a duration nor a date is passed on. */
function resetOf(value: unknown): unknown {
  const number = numberOf(value)
  return typeof number === 'string' ? (resetSeconds(number) ?? number) : number
}

/**
 * The reader of whole records that a table describes: values in the types and units of the request record, absent ones undefined,
 * unreadable ones as they are, for decode.ts to refuse by name. A user who is the application itself (a token of client credentials:
 * RFC 9068 section 2.2) is no end user.
 */
export function recordReader<Source>(
  table: FieldTable<Source>,
): (source: Source, options: FormatOptions) => Readonly<Record<FieldName, unknown>> {
  return (source, options) => {
    const appId = textOf(table.app_id(source, options))
    const userId = textOf(table.user_id(source, options))
    const { limit, remaining, reset } = table.ratelimit(source)
    return {
      timestamp: timestampOf(table.timestamp(source, options)),
      app_id: appId,
      client_ip: textOf(table.client_ip(source, options)),
      method: textOf(table.method(source, options)),
      route: textOf(table.route(source, options)),
      status_code: numberOf(table.status_code(source, options)),
      user_id: userId === appId ? undefined : userId,
      request_id: textOf(table.request_id(source, options)),
      credential_id: textOf(table.credential_id(source, options)),
      user_agent: textOf(table.user_agent(source, options)),
      ratelimit_limit: numberOf(limit),
      ratelimit_remaining: numberOf(remaining),
      ratelimit_reset: resetOf(reset),
      duration_ms: millisecondsOf(table.duration_ms(source, options), 'ms'),
      request_bytes: numberOf(table.request_bytes(source, options)),
      response_bytes: numberOf(table.response_bytes(source, options)),
      host: hostOf(table.host(source, options)),
      region: textOf(table.region(source, options)),
      gateway: textOf(table.gateway(source, options)),
      trace_id: textOf(table.trace_id(source, options)),
    }
  }
}
