/**
 * OCSF HTTP Activity (class_uid 4002) and API Activity (6003). Source: OCSF schema 1.x, classes http_activity and
 * api_activity, objects http_request, http_response, actor, api. Times are epoch ms, duration and latency ms.
 *
 * app_id is `actor.app_uid`, else `actor.app_name`; user_id is `actor.user.uid`; credential_id is
 * `actor.user.credential_uid` (an id, as an access key id). An event that stands for several requests (count > 1) maps
 * to undefined: it is no single request.
 */
import { clientIp } from './client-address.ts'
import { recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { headersFromList, rateLimitIn } from './rate-limit.ts'
import { numberOf } from './values.ts'

const HTTP_ACTIVITY = 4002
const API_ACTIVITY = 6003

/** Methods by activity_id, for events without http_request.http_method. An API Activity names what was done: create, read, update, delete. */
const METHODS: Readonly<Record<number, readonly (string | undefined)[]>> = {
  [HTTP_ACTIVITY]: [undefined, 'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'TRACE', 'PATCH'],
  [API_ACTIVITY]: [undefined, 'POST', 'GET', 'PUT', 'DELETE'],
}

const httpMethod = field('http_request.http_method')
const responseHeaders = field('http_response.http_headers')

function methodOf(entry: JsonObject): unknown {
  const classUid = numberOf(entry['class_uid'])
  const activity = numberOf(entry['activity_id'])
  if (typeof classUid !== 'number' || typeof activity !== 'number') return httpMethod(entry)
  return httpMethod(entry) ?? METHODS[classUid]?.[activity]
}

const read = recordReader({
  timestamp: field('start_time', 'time', 'time_dt'),
  app_id: field('actor.app_uid', 'actor.app_name'),
  client_ip: clientIp({ peer: field('src_endpoint.ip'), xForwardedFor: field('http_request.x_forwarded_for') }),
  method: methodOf,
  route: field('http_request.url.path', 'http_request.url.url_string', 'api.operation'),
  status_code: field('http_response.code', 'api.response.code', 'http_status'),
  user_id: field('actor.user.uid'),
  request_id: field('metadata.uid', 'http_request.uid', 'api.request.uid'),
  credential_id: field('actor.user.credential_uid'),
  user_agent: field('http_request.user_agent'),
  ratelimit: rateLimitIn((entry) => headersFromList(responseHeaders(entry))),
  duration_ms: field('duration', 'http_response.latency'),
  request_bytes: field('traffic.bytes_in', 'http_request.length'),
  response_bytes: field('traffic.bytes_out', 'http_response.length'),
  host: field('http_request.url.hostname', 'dst_endpoint.hostname'),
  region: field('cloud.region'),
  gateway: field('metadata.product.name'),
  trace_id: field('trace.uid'),
})

export const ocsf: LogFormat = {
  name: 'ocsf',
  summary: 'OCSF HTTP Activity (4002) and API Activity (6003) events',
  map: (entry, options) => {
    const classUid = numberOf(entry['class_uid'])
    const count = entry['count']
    if (typeof count === 'number' && count > 1) return undefined
    return classUid === HTTP_ACTIVITY || classUid === API_ACTIVITY ? read(entry, options) : undefined
  },
}
