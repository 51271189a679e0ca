/**
 * A request record as it is stored: one row of `landing`, without the offset it has in its source.
 *
 * Names, order and types of the columns follow from schemas/request-record.ts: a field that is added there is a column here.
 */
import type { RequestRecord } from '#schemas/request-record.ts'

/** How a field of a record is stored: absent text is '', absent numbers are null. */
type Stored<Value> = [Value] extends [string]
  ? string
  : [Value] extends [string | undefined]
    ? string
    : StoredNumber<Value>
type StoredNumber<Value> = undefined extends Value ? number | null : number

/**
 * Text is well formed (no lone surrogates), so it has one UTF-8 spelling. client_ip is IPv4, or IPv6 that is not a mapped IPv4; the
 * method is in upper case; the route is a template whose ids are :id.
 */
export type LandingRecord = {
  readonly [Field in Exclude<keyof RequestRecord, 'timestamp'>]-?: Stored<RequestRecord[Field]>
} & {
  /** Start of the request, epoch milliseconds. */
  readonly timestamp_ms: number
}

/** Which event times are believed: [earliestMs, latestMs), epoch milliseconds. */
export interface TimeSpan {
  readonly earliestMs: number
  readonly latestMs: number
}
