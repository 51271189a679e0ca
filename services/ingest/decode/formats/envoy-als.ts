/**
 * One HTTPAccessLogEntry of Envoy's gRPC access log service, as protobuf JSON in either spelling (common_properties or
 * commonProperties). Source: Envoy "gRPC access logs" (accesslog.proto): durations are text with an s ("0.231s"),
 * 64-bit numbers are text.
 *
 * app_id comes from what Envoy verified or was told to log, most specific first: custom tag `app_id`; the JWT's
 * `client_id` or `azp` in the metadata of envoy.filters.http.jwt_authn under `payload`; request header `x-app-id`, when
 * it is among the headers to log. Entries flushed in the middle of a stream (intermediate_log_entry) are no requests.
 */
import { clientAddress } from './client-address.ts'
import type { FormatOptions, JsonObject } from './format.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, isObject, millisecondsOf, numberOf, textOf, timestampOf } from './values.ts'

const JWT_SNAKE = 'metadata.filter_metadata.envoy.filters.http.jwt_authn.payload'
const JWT_CAMEL = 'metadata.filterMetadata.envoy.filters.http.jwt_authn.payload'

/** Fields of common_properties. */
const common = {
  startTime: field('start_time', 'startTime'),
  appId: field(
    'custom_tags.app_id',
    'customTags.app_id',
    `${JWT_SNAKE}.client_id`,
    `${JWT_SNAKE}.azp`,
    `${JWT_CAMEL}.client_id`,
    `${JWT_CAMEL}.azp`,
  ),
  userId: field('custom_tags.user_id', 'customTags.user_id', `${JWT_SNAKE}.sub`, `${JWT_CAMEL}.sub`),
  region: field('custom_tags.region', 'customTags.region'),
  peer: field(
    'downstream_remote_address.socket_address.address',
    'downstreamRemoteAddress.socketAddress.address',
    'downstream_direct_remote_address.socket_address.address',
    'downstreamDirectRemoteAddress.socketAddress.address',
  ),
  duration: field('duration', 'time_to_last_downstream_tx_byte', 'timeToLastDownstreamTxByte'),
  isIntermediate: field('intermediate_log_entry', 'intermediateLogEntry'),
}

/** Fields of request. */
const request = {
  method: field('request_method', 'requestMethod'),
  route: field('original_path', 'originalPath', 'path'),
  appHeader: field('request_headers.x-app-id', 'requestHeaders.x-app-id'),
  xForwardedFor: field('forwarded_for', 'forwardedFor'),
  forwarded: field('request_headers.forwarded', 'requestHeaders.forwarded'),
  requestId: field('request_id', 'requestId'),
  userAgent: field('user_agent', 'userAgent'),
  bytes: field('request_body_bytes', 'requestBodyBytes'),
  host: field('authority'),
}

/** Fields of response. */
const response = {
  status: field('response_code', 'responseCode'),
  bytes: field('response_body_bytes', 'responseBodyBytes'),
  headers: field('response_headers', 'responseHeaders'),
}

/** The one entry of `http_logs: { log_entry: [...] }`; undefined for a batch of several, which the collector must split. */
export function soleAccessLogEntry(httpLogs: unknown): JsonObject | undefined {
  if (!isObject(httpLogs)) return undefined
  const entries = httpLogs['log_entry'] ?? httpLogs['logEntry']
  const only: unknown = Array.isArray(entries) && entries.length === 1 ? entries[0] : undefined
  return isObject(only) ? only : undefined
}

/** Milliseconds of a protobuf Duration ("0.231s"). */
function durationMs(value: unknown): unknown {
  return millisecondsOf(typeof value === 'string' && value.endsWith('s') ? value.slice(0, -1) : value, 's')
}

export function mapAccessLogEntry(entry: JsonObject, options: FormatOptions): JsonObject | undefined {
  const properties = entry['common_properties'] ?? entry['commonProperties']
  const asked = entry['request']
  if (!isObject(properties) || !isObject(asked) || common.isIntermediate(properties) === true) return undefined
  const answered = isObject(entry['response']) ? entry['response'] : {}
  const limit = readRateLimit(response.headers(answered))
  const appId = textOf(common.appId(properties) ?? request.appHeader(asked))
  return {
    timestamp: timestampOf(common.startTime(properties)),
    app_id: appId,
    client_ip: clientAddress(common.peer(properties), request.xForwardedFor(asked), options, request.forwarded(asked)),
    method: request.method(asked),
    route: request.route(asked),
    // Protobuf JSON leaves out what is not set: no code means that no answer was sent.
    status_code: numberOf(response.status(answered)) ?? 0,
    user_id: endUserOf(common.userId(properties), appId),
    request_id: textOf(request.requestId(asked)),
    user_agent: textOf(request.userAgent(asked)),
    ratelimit_limit: limit.limit,
    ratelimit_remaining: limit.remaining,
    ratelimit_reset: limit.reset,
    duration_ms: durationMs(common.duration(properties)),
    request_bytes: numberOf(request.bytes(asked)),
    response_bytes: numberOf(response.bytes(answered)),
    host: hostOf(request.host(asked)),
    region: textOf(common.region(properties)),
  }
}
