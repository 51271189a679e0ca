/**
 * nginx access logs, JSON or text; fields are named after nginx's variables without the $. Sources: nginx
 * "ngx_http_log_module" (log_format, escape=json, combined), "ngx_http_core_module" (variables). request_time is
 * seconds, $msec is epoch seconds, both of the moment the line is written, which is the end of the request: the start
 * is msec - request_time.
 *
 * JSON:
 *   log_format sidestep escape=json '{"msec":"$msec","request_time":"$request_time","request_id":"$request_id","app_id":"$app_id",'
 *     '"user_id":"$user_id","remote_addr":"$remote_addr","http_x_forwarded_for":"$http_x_forwarded_for",'
 *     '"request_method":"$request_method","request_uri":"$request_uri","status":"$status","host":"$host",'
 *     '"http_user_agent":"$http_user_agent","request_length":"$request_length","bytes_sent":"$bytes_sent",'
 *     '"sent_http_ratelimit_limit":"$sent_http_ratelimit_limit","sent_http_ratelimit_remaining":"$sent_http_ratelimit_remaining"}';
 * Text: `combined`, then the same names as quoted pairs:
 *   log_format sidestep_text '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
 *     '"$http_user_agent" app_id="$app_id" user_id="$user_id" request_time="$request_time" request_id="$request_id"';
 *
 * app_id is the `app_id` of the log, which the operator sets from what nginx verified ($jwt_claim_client_id,
 * auth_request_set); else remote_user (Basic authentication). Never a key: do not log $http_authorization or
 * $http_x_api_key.
 */
import { clientIp } from './client-address.ts'
import { durationIn, recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { keyValues, unescapeQuoted } from './key-values.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { isObject, millisecondsOf, timestampOf } from './values.ts'

const COMBINED =
  /^(\S{1,64}) \S{1,64} (.{1,256}?) \[([^\]]{1,40})\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d{1,15}|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?(.*)$/s

/** A line in combined (or common) log format as an object of nginx variables; undefined when it is neither. */
function parseCombined(line: string): JsonObject | undefined {
  const match = COMBINED.exec(line)
  if (match === null) return undefined
  const [, remoteAddr, remoteUser = '', timeLocal, request = '', status, bytes, , userAgent = '', rest = ''] = match
  const pairs = keyValues(rest, false)
  pairs['remote_addr'] = remoteAddr
  pairs['remote_user'] = unescapeQuoted(remoteUser)
  pairs['time_local'] = timeLocal
  pairs['request'] = unescapeQuoted(request)
  pairs['status'] = status
  pairs['body_bytes_sent'] = bytes
  pairs['http_user_agent'] = unescapeQuoted(userAgent)
  return pairs
}

function parseLine(line: string): JsonObject | undefined {
  if (line.charCodeAt(0) !== 123) return parseCombined(line)
  try {
    const parsed: unknown = JSON.parse(line)
    return isObject(parsed) ? parsed : undefined
  } catch {
    // Not JSON after all: decode.ts counts and keeps the line.
    return undefined
  }
}

const method = field('request_method')
const target = field('request_uri', 'uri')
const requestTime = field('request_time')
const writtenAt = field('time_iso8601', 'time_local', 'time', 'timestamp')

/** Method and target of `GET /users/1?x=y HTTP/1.1`; nothing of a line that is no HTTP (a TLS hello on a plain port). */
function splitRequestLine(request: unknown): readonly [string | undefined, string | undefined] {
  const match = typeof request === 'string' ? /^([A-Za-z-]{1,32}) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/.exec(request) : null
  return [match?.[1], match?.[2]]
}

/** Epoch ms of the start: the end, as nginx logs it, less the duration. */
function startOf(entry: JsonObject): unknown {
  const durationMs = millisecondsOf(requestTime(entry), 's')
  const logged = millisecondsOf(entry['msec'], 's') ?? timestampOf(writtenAt(entry))
  const parsed = typeof logged === 'string' ? Date.parse(logged) : logged
  if (typeof parsed !== 'number' || Number.isNaN(parsed)) return logged
  return typeof durationMs === 'number' ? Math.round(parsed - durationMs) : parsed
}

const read = recordReader({
  timestamp: startOf,
  app_id: field('app_id', 'client_id', 'remote_user'),
  client_ip: clientIp({
    peer: field('remote_addr'),
    xForwardedFor: field('http_x_forwarded_for'),
    forwarded: field('http_forwarded'),
  }),
  method: (entry) => method(entry) ?? splitRequestLine(entry['request'])[0],
  route: (entry) => target(entry) ?? splitRequestLine(entry['request'])[1],
  status_code: field('status'),
  user_id: field('user_id'),
  request_id: field('request_id'),
  credential_id: field('credential_id'),
  user_agent: field('http_user_agent'),
  ratelimit: (entry) => readRateLimit(entry, 'sent_http_'),
  duration_ms: durationIn('s', requestTime),
  request_bytes: field('request_length'),
  response_bytes: field('bytes_sent', 'body_bytes_sent'),
  host: field('host', 'http_host'),
  region: field('region'),
  gateway: field('hostname'),
  trace_id: field('trace_id', 'opentelemetry_trace_id', 'otel_trace_id'),
})

export const nginx: LogFormat = {
  name: 'nginx',
  summary: 'nginx access logs: JSON (escape=json), or combined text with key="value" pairs appended',
  parse: parseLine,
  map: (entry, options) => {
    const isRequest =
      entry['status'] !== undefined && (entry['request'] !== undefined || entry['request_method'] !== undefined)
    return isRequest ? read(entry, options) : undefined
  },
}
