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
import { clientAddress } from './client-address.ts'
import { mapAccessLogEntry, soleAccessLogEntry } from './envoy-als.ts'
import type { FormatOptions, JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, numberOf, textOf, timestampOf } from './values.ts'

const read = {
  timestamp: field('start_time', 'startTime', 'timestamp', '@timestamp', 'time'),
  appId: field('app_id', 'client_id', 'consumer_id', 'azp', 'x-app-id', 'x_app_id'),
  userId: field('user_id', 'end_user_id', 'sub'),
  credentialId: field('credential_id', 'key_id'),
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
  method: field('method', ':method', 'request_method'),
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
  status: field('response_code', 'status_code', 'status', 'responseCode'),
  requestId: field('request_id', 'x-request-id', 'x_request_id'),
  userAgent: field('user_agent', 'user-agent'),
  durationMs: field('duration', 'duration_ms'),
  requestBytes: field('bytes_received', 'request_bytes'),
  responseBytes: field('bytes_sent', 'response_bytes'),
  host: field('authority', ':authority', 'host'),
  region: field('region'),
  gateway: field('gateway', 'node_id'),
  traceId: field('trace_id', 'traceid'),
  logType: field('access_log_type'),
}

/** Entries that Envoy writes before a request has ended; only the last one is a request. */
function isIntermediate(logType: unknown): boolean {
  return typeof logType === 'string' && logType !== 'DownstreamEnd' && logType !== 'NotSet'
}

function mapJson(entry: JsonObject, options: FormatOptions): JsonObject | undefined {
  const method = read.method(entry)
  const status = read.status(entry)
  // TCP listeners log through the same format, with neither.
  if ((method === undefined && status === undefined) || isIntermediate(read.logType(entry))) return undefined
  const limit = readRateLimit(entry)
  const appId = textOf(read.appId(entry))
  return {
    timestamp: timestampOf(read.timestamp(entry)),
    app_id: appId,
    client_ip: clientAddress(read.peer(entry), read.xForwardedFor(entry), options, read.forwarded(entry)),
    method,
    route: read.route(entry),
    status_code: numberOf(status),
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
