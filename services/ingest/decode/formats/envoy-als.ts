/**
 * One HTTPAccessLogEntry of Envoy's gRPC access log service, as protobuf JSON in either spelling (common_properties or
 * commonProperties). Source: Envoy "gRPC access logs" (accesslog.proto): durations are text with an s ("0.231s"),
 * 64-bit numbers are text.
 *
 * app_id comes from what Envoy verified or was told to log, most specific first: custom tag `app_id`; the JWT's
 * `client_id` or `azp` in the metadata of envoy.filters.http.jwt_authn under `payload`; request header `x-app-id`, when
 * it is among the headers to log. Entries flushed in the middle of a stream (intermediate_log_entry) are no requests.
 */
import { clientIp } from './client-address.ts'
import { absent, durationIn, recordReader } from './fields.ts'
import type { FormatOptions, JsonObject } from './format.ts'
import { field, type FieldReader } from './paths.ts'
import { rateLimitIn } from './rate-limit.ts'
import { isObject } from './values.ts'

/** `startTime` of `start_time`. */
function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** The fields of one part of an entry, in either spelling; the names of tags and headers are as they are. */
function partOf(part: string): (...names: readonly string[]) => FieldReader {
  return (...names) => field(...names.flatMap((name) => [`${part}.${name}`, `${camelCase(part)}.${camelCase(name)}`]))
}

const common = partOf('common_properties')
const request = partOf('request')
const response = partOf('response')

/** A custom tag of the operator, else claims of the token as the jwt_authn filter keeps them. */
function tagOrClaim(tag: string, ...claims: readonly string[]): FieldReader {
  const jwt = ['metadata.filter_metadata', 'metadata.filterMetadata'].flatMap((metadata) =>
    claims.map((claim) => `${metadata}.envoy.filters.http.jwt_authn.payload.${claim}`),
  )
  const tags = [`custom_tags.${tag}`, `customTags.${tag}`]
  return field(...[...tags, ...jwt].flatMap((name) => [`common_properties.${name}`, `commonProperties.${name}`]))
}

const app = tagOrClaim('app_id', 'client_id', 'azp')
const appHeader = field('request.request_headers.x-app-id', 'request.requestHeaders.x-app-id')
const isIntermediate = common('intermediate_log_entry')
const status = response('response_code')

const read = recordReader({
  timestamp: common('start_time'),
  app_id: (entry) => app(entry) ?? appHeader(entry),
  client_ip: clientIp({
    peer: common(
      'downstream_remote_address.socket_address.address',
      'downstream_direct_remote_address.socket_address.address',
    ),
    xForwardedFor: request('forwarded_for'),
    forwarded: request('request_headers.forwarded'),
  }),
  method: request('request_method'),
  route: request('original_path', 'path'),
  // Protobuf JSON leaves out what is not set: no code means that no answer was sent.
  status_code: (entry) => status(entry) ?? 0,
  user_id: tagOrClaim('user_id', 'sub'),
  request_id: request('request_id'),
  credential_id: absent,
  user_agent: request('user_agent'),
  ratelimit: rateLimitIn(response('response_headers')),
  duration_ms: durationIn('s', common('duration', 'time_to_last_downstream_tx_byte')),
  request_bytes: request('request_body_bytes'),
  response_bytes: response('response_body_bytes'),
  host: request('authority'),
  region: tagOrClaim('region'),
  gateway: absent,
  trace_id: absent,
})

/** The one entry of `http_logs: { log_entry: [...] }`; undefined for a batch of several, which the collector must split. */
export function soleAccessLogEntry(httpLogs: unknown): JsonObject | undefined {
  if (!isObject(httpLogs)) return undefined
  const entries = httpLogs['log_entry'] ?? httpLogs['logEntry']
  const only: unknown = Array.isArray(entries) && entries.length === 1 ? entries[0] : undefined
  return isObject(only) ? only : undefined
}

export function mapAccessLogEntry(entry: JsonObject, options: FormatOptions): JsonObject | undefined {
  const isRequest =
    isObject(entry['common_properties'] ?? entry['commonProperties']) &&
    isObject(entry['request']) &&
    isIntermediate(entry) !== true
  return isRequest ? read(entry, options) : undefined
}
