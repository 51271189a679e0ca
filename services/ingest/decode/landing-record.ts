/**
 * A request record as it is stored: one row of `landing`, without the offset it has in its source.
 *
 * Absent text is '', absent numbers are null. Text is well formed (no lone surrogates), so it has one UTF-8 spelling.
 */
export interface LandingRecord {
  /** Start of the request, epoch milliseconds. */
  readonly timestamp_ms: number
  readonly app_id: string
  /** IPv4, or IPv6 that is not a mapped IPv4. */
  readonly client_ip: string
  /** Upper case. */
  readonly method: string
  /** Template: ids are :id. */
  readonly route: string
  readonly status_code: number
  readonly user_id: string
  /** Cut at 512 characters. */
  readonly user_agent: string
  readonly request_id: string
  readonly credential_id: string
  readonly ratelimit_limit: number | null
  readonly ratelimit_remaining: number | null
  /** Seconds from now, or epoch seconds when > 1e9. */
  readonly ratelimit_reset: number | null
  readonly duration_ms: number | null
  readonly request_bytes: number | null
  readonly response_bytes: number | null
  readonly host: string
  readonly region: string
  readonly gateway: string
  readonly trace_id: string
}

/** Which event times are believed: [earliestMs, latestMs), epoch milliseconds. */
export interface TimeSpan {
  readonly earliestMs: number
  readonly latestMs: number
}
