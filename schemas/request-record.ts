/**
 * The request record, v1: one API request as a gateway logged it (topic `api.requests.v1`, or one JSON object a line in a file).
 *
 * Every number is bounded to the ClickHouse column that stores it, because an integer out of range does not fail there: it wraps
 * (4294967297 into UInt32 becomes 1). Unknown fields are allowed and ignored.
 */
import { z } from 'zod'

/** Largest value of a ClickHouse UInt32 column: 2^32 - 1. */
export const UINT32_MAX = 4_294_967_295

const identifier = z.string().min(1).max(128)
const count32 = z.int().min(0).max(UINT32_MAX)
const byteCount = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

export const RequestRecord = z
  .object({
    timestamp: z
      .union([z.string().max(64), z.number()])
      .describe('Start of the request: RFC 3339, or epoch milliseconds as a number.'),
    app_id: identifier.describe('The registered application (OAuth client_id); never the key itself.'),
    client_ip: z.string().min(2).max(45).describe('IPv4 or IPv6 address as text (client.address).'),
    method: z.string().min(1).max(16).describe('HTTP method, stored upper case (http.request.method).'),
    route: z.string().min(1).max(512).describe('Route template; in a raw path, ids become :id (http.route).'),
    status_code: z
      .int()
      .refine((code) => code === 0 || (code >= 100 && code <= 599), 'must be 0 or within 100..599')
      .describe('HTTP status, 100..599; 0 = no answer (http.response.status_code).'),
    user_id: identifier.optional().describe('The end user whose token was used; absent = app-only (user.id).'),
    request_id: identifier.optional().describe('Unique id of the request (event.id).'),
    credential_id: identifier.optional().describe('Id of the credential used; never the secret.'),
    user_agent: z.string().optional().describe('User-Agent header, cut at 512 characters (user_agent.original).'),
    ratelimit_limit: count32.optional().describe('Requests allowed in the window (RateLimit limit).'),
    ratelimit_remaining: count32.optional().describe('Requests left in the window (RateLimit remaining).'),
    ratelimit_reset: count32.optional().describe('Seconds until the window ends, or epoch seconds when > 1e9.'),
    duration_ms: z.number().min(0).max(UINT32_MAX).optional().describe('Milliseconds (http.server.request.duration).'),
    request_bytes: byteCount.optional().describe('Bytes (http.request.size).'),
    response_bytes: byteCount.optional().describe('Bytes (http.response.size).'),
    host: z.string().max(256).optional().describe('Host asked for (server.address).'),
    region: z.string().max(128).optional(),
    gateway: z.string().max(128).optional(),
    trace_id: z.string().max(128).optional(),
  })
  .meta({ id: 'RequestRecord', title: 'sidestep request record, v1' })
export type RequestRecord = z.infer<typeof RequestRecord>

/** Field names of a request record; anything else in an input object is ignored and counted. */
export const REQUEST_FIELDS: ReadonlySet<string> = new Set(Object.keys(RequestRecord.shape))

/** User agents are cut at this many characters rather than refused: their tail identifies nobody. */
export const USER_AGENT_MAX_CHARS = 512
