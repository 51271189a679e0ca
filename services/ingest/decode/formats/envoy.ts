/**
 * Envoy's JSON access log. Sources: Envoy "Access logging" (command operators; START_TIME is RFC 3339, DURATION is
 * milliseconds), Envoy Gateway "Proxy Access Logs" (default keys), Istio "Envoy Access Logs" (default keys), Envoy
 * "gRPC access logs" (envoy-als.ts).
 *
 * json_format lets operators name the keys, so each field has the names of those defaults and the usual short ones.
 * app_id is `app_id`, `client_id`, `consumer_id`, `azp` or `x-app-id`: Envoy knows no applications, so the operator
 * logs one from what it has verified, as `"app_id":
 * "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:payload:client_id)%"`. client_ip is downstream_remote_address, which
 * Envoy itself takes from X-Forwarded-For when it is configured to (xff_num_trusted_hops); with `use_remote_address:
 * true` Envoy appends its peer before it logs, and then counts as one of the trusted hops.
 */
import { clientIp } from './client-address.ts'
import { mapAccessLogEntry, soleAccessLogEntry } from './envoy-als.ts'
import { recordReader } from './fields.ts'
import type { FormatOptions, JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { rateLimitIn } from './rate-limit.ts'

const method = field('method', ':method', 'request_method')
const status = field('response_code', 'status_code', 'status', 'responseCode')
const accessLogType = field('access_log_type')

const read = recordReader({
  timestamp: field('start_time', 'startTime', 'timestamp', '@timestamp', 'time'),
  app_id: field('app_id', 'client_id', 'consumer_id', 'azp', 'x-app-id', 'x_app_id'),
  client_ip: clientIp({
    peer: field(
      'downstream_remote_address',
      'downstream_remote_address_without_port',
      'client_ip',
      'remote_address',
      'remote_addr',
      'downstream_direct_remote_address',
      'downstream_direct_remote_address_without_port',
    ),
    xForwardedFor: field('x_forwarded_for', 'x-forwarded-for', 'forwarded_for'),
    forwarded: field('forwarded'),
  }),
  method,
  // The path before any rewrite is the one the client asked for.
  route: field(
    'route',
    'x-envoy-origin-path',
    'x-envoy-original-path',
    'x_envoy_original_path',
    'original_path',
    'path',
    ':path',
    'request_path',
    'uri',
  ),
  status_code: status,
  user_id: field('user_id', 'end_user_id', 'sub'),
  request_id: field('request_id', 'x-request-id', 'x_request_id'),
  credential_id: field('credential_id', 'key_id'),
  user_agent: field('user_agent', 'user-agent'),
  ratelimit: rateLimitIn((entry) => entry),
  duration_ms: field('duration', 'duration_ms'),
  request_bytes: field('bytes_received', 'request_bytes'),
  response_bytes: field('bytes_sent', 'response_bytes'),
  host: field('authority', ':authority', 'host'),
  region: field('region'),
  gateway: field('gateway', 'node_id'),
  trace_id: field('trace_id', 'traceid'),
})

/** Entries that Envoy writes before a request has ended; only the last one is a request. */
function isIntermediate(logType: unknown): boolean {
  return typeof logType === 'string' && logType !== 'DownstreamEnd' && logType !== 'NotSet'
}

function mapJson(entry: JsonObject, options: FormatOptions): JsonObject | undefined {
  // TCP listeners log through the same format, with neither.
  const isRequest = method(entry) !== undefined || status(entry) !== undefined
  return isRequest && !isIntermediate(accessLogType(entry)) ? read(entry, options) : undefined
}

export const envoy: LogFormat = {
  name: 'envoy',
  summary: 'Envoy, Envoy Gateway and Istio JSON access logs, and gRPC access log entries as JSON',
  map: (entry, options) => {
    if (entry['http_logs'] !== undefined || entry['httpLogs'] !== undefined) {
      const sole = soleAccessLogEntry(entry['http_logs'] ?? entry['httpLogs'])
      return sole === undefined ? undefined : mapAccessLogEntry(sole, options)
    }
    if (entry['common_properties'] !== undefined || entry['commonProperties'] !== undefined) {
      return mapAccessLogEntry(entry, options)
    }
    return mapJson(entry, options)
  },
}
