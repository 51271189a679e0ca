/**
 * OCSF HTTP Activity (class_uid 4002) and API Activity (6003). Source: OCSF schema 1.x, classes http_activity and
 * api_activity, objects http_request, http_response, actor, api. Times are epoch ms, duration and latency ms.
 *
 * app_id is `actor.app_uid`, else `actor.app_name`; user_id is `actor.user.uid`; credential_id is
 * `actor.user.credential_uid` (an id, as an access key id). An event that stands for several requests (count > 1) maps
 * to undefined: it is no single request.
 */
import { clientAddress } from './client-address.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { headersFromList, readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, numberOf, textOf, timestampOf } from './values.ts'

const HTTP_ACTIVITY = 4002
const API_ACTIVITY = 6003

/** Methods by activity_id of HTTP Activity, for events without http_request.http_method. */
const METHOD_BY_ACTIVITY = [
  undefined,
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'POST',
  'PUT',
  'TRACE',
  'PATCH',
] as const

const read = {
  timestamp: field('start_time', 'time', 'time_dt'),
  appId: field('actor.app_uid', 'actor.app_name'),
  userId: field('actor.user.uid'),
  credentialId: field('actor.user.credential_uid'),
  peer: field('src_endpoint.ip'),
  xForwardedFor: field('http_request.x_forwarded_for'),
  method: field('http_request.http_method'),
  route: field('http_request.url.path', 'http_request.url.url_string', 'api.operation'),
  status: field('http_response.code', 'api.response.code', 'http_status'),
  requestId: field('metadata.uid', 'http_request.uid', 'api.request.uid'),
  userAgent: field('http_request.user_agent'),
  responseHeaders: field('http_response.http_headers'),
  durationMs: field('duration', 'http_response.latency'),
  requestBytes: field('traffic.bytes_in', 'http_request.length'),
  responseBytes: field('traffic.bytes_out', 'http_response.length'),
  host: field('http_request.url.hostname', 'dst_endpoint.hostname'),
  region: field('cloud.region'),
  gateway: field('metadata.product.name'),
  traceId: field('trace.uid'),
}

function methodOf(entry: JsonObject): unknown {
  const method = read.method(entry)
  const activity = entry['activity_id']
  if (method !== undefined || entry['class_uid'] !== HTTP_ACTIVITY || typeof activity !== 'number') return method
  return METHOD_BY_ACTIVITY[activity]
}

export const ocsf: LogFormat = {
  name: 'ocsf',
  summary: 'OCSF HTTP Activity (4002) and API Activity (6003) events',
  map: (entry, options) => {
    const classUid = numberOf(entry['class_uid'])
    if (classUid !== HTTP_ACTIVITY && classUid !== API_ACTIVITY) return undefined
    const count = entry['count']
    if (typeof count === 'number' && count > 1) return undefined
    const limit = readRateLimit(headersFromList(read.responseHeaders(entry)))
    const appId = textOf(read.appId(entry))
    return {
      timestamp: timestampOf(read.timestamp(entry)),
      app_id: appId,
      client_ip: clientAddress(read.peer(entry), read.xForwardedFor(entry), options),
      method: methodOf(entry),
      route: read.route(entry),
      status_code: numberOf(read.status(entry)),
      user_id: endUserOf(read.userId(entry), appId),
      request_id: textOf(read.requestId(entry)),
      credential_id: textOf(read.credentialId(entry)),
      user_agent: textOf(read.userAgent(entry)),
      ratelimit_limit: limit.limit,
      ratelimit_remaining: limit.remaining,
      ratelimit_reset: limit.reset,
      duration_ms: numberOf(read.durationMs(entry)),
      request_bytes: numberOf(read.requestBytes(entry)),
      response_bytes: numberOf(read.responseBytes(entry)),
      host: hostOf(read.host(entry)),
      region: textOf(read.region(entry)),
      gateway: textOf(read.gateway(entry)),
      trace_id: textOf(read.traceId(entry)),
    }
  },
}
