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
import { clientAddress } from './client-address.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { keyValues, unescapeQuoted } from './key-values.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, isObject, millisecondsOf, numberOf, textOf, timestampOf } from './values.ts'

const readAppId = field('app_id', 'client_id', 'remote_user')
const readEnd = field('time_iso8601', 'time_local', 'time', 'timestamp')
const readResponseBytes = field('bytes_sent', 'body_bytes_sent')
const readTraceId = field('trace_id', 'opentelemetry_trace_id', 'otel_trace_id')

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

/** Method and target of `GET /users/1?x=y HTTP/1.1`; nothing of a line that is no HTTP (a TLS hello on a plain port). */
function splitRequestLine(request: unknown): readonly [string | undefined, string | undefined] {
  const match = typeof request === 'string' ? /^([A-Za-z-]{1,32}) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/.exec(request) : null
  return [match?.[1], match?.[2]]
}

/** Epoch ms of the start: the end, as nginx logs it, less the duration. */
function startOf(entry: JsonObject, durationMs: unknown): unknown {
  const msec = millisecondsOf(entry['msec'], 's')
  const logged = msec === undefined ? timestampOf(readEnd(entry)) : msec
  const parsed = typeof logged === 'string' ? Date.parse(logged) : logged
  if (typeof parsed !== 'number' || Number.isNaN(parsed)) return logged
  return typeof durationMs === 'number' ? Math.round(parsed - durationMs) : parsed
}

export const nginx: LogFormat = {
  name: 'nginx',
  summary: 'nginx access logs: JSON (escape=json), or combined text with key="value" pairs appended',
  parse: parseLine,
  map: (entry, options) => {
    if (entry['status'] === undefined || (entry['request'] === undefined && entry['request_method'] === undefined)) {
      return undefined
    }
    const [lineMethod, lineTarget] = splitRequestLine(entry['request'])
    const durationMs = millisecondsOf(entry['request_time'], 's')
    const limit = readRateLimit(entry, 'sent_http_')
    const appId = textOf(readAppId(entry))
    return {
      timestamp: startOf(entry, durationMs),
      app_id: appId,
      client_ip: clientAddress(entry['remote_addr'], entry['http_x_forwarded_for'], options, entry['http_forwarded']),
      method: textOf(entry['request_method']) ?? lineMethod,
      route: textOf(entry['request_uri']) ?? textOf(entry['uri']) ?? lineTarget,
      status_code: numberOf(entry['status']),
      user_id: endUserOf(entry['user_id'], appId),
      request_id: textOf(entry['request_id']),
      credential_id: textOf(entry['credential_id']),
      user_agent: textOf(entry['http_user_agent']),
      ratelimit_limit: limit.limit,
      ratelimit_remaining: limit.remaining,
      ratelimit_reset: limit.reset,
      duration_ms: durationMs,
      request_bytes: numberOf(entry['request_length']),
      response_bytes: numberOf(readResponseBytes(entry)),
      host: hostOf(entry['host'] ?? entry['http_host']),
      region: textOf(entry['region']),
      gateway: textOf(entry['hostname']),
      trace_id: textOf(readTraceId(entry)),
    }
  },
}
