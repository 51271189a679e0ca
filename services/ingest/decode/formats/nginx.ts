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
import { isIP } from 'node:net'

import { parseRfc3339 } from '../timestamp.ts'
import { bareAddress, clientIp, endsInAddress } from './client-address.ts'
import { durationIn, recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { keyValues, unescapeQuoted } from './key-values.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { millisecondsOf, timestampOf } from './values.ts'

/** Two columns of text follow the size in `combined`, a third one in the `main` format of nginx's packages: X-Forwarded-For. */
const COMBINED =
  /^(\S{1,64}) - (.+?) \[([^\]]{1,40})\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d{1,15}|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: "((?:[^"\\]|\\.)*)")?)?(.*)$/s

/** True for a column of addresses where the user should be: then the first column is a server, and no app can be told. */
function isShifted(user: string): boolean {
  if (!user.includes(' ')) return false
  const [first = '', dash] = user.split(' ')
  return dash === '-' && isIP(bareAddress(first) ?? '') > 0
}

/** A user that may name an application: no address of a shifted column, and none of the words that Basic authentication lets anyone send. */
function isName(user: string): boolean {
  return !/\s/.test(user) && isIP(bareAddress(user) ?? '') === 0
}

/** A line in combined (or common) log format as an object of nginx variables; undefined when it is neither. */
function parseCombined(line: string): JsonObject | undefined {
  const [, address, user = '', timeLocal, request = '', status, bytes, , userAgent = '', column, rest = ''] =
    COMBINED.exec(line) ?? []
  if (address === undefined || isShifted(user)) return undefined
  const pairs = keyValues(rest, false)
  pairs['remote_addr'] = address
  pairs['remote_user'] = isName(user) ? unescapeQuoted(user) : '-'
  pairs['time_local'] = timeLocal
  pairs['request'] = unescapeQuoted(request)
  pairs['status'] = status
  pairs['body_bytes_sent'] = bytes
  pairs['http_user_agent'] = unescapeQuoted(userAgent)
  if (column !== undefined && (column === '-' || endsInAddress(column))) pairs['http_x_forwarded_for'] ??= column
  return pairs
}

/** What is wrong with a line that looks like an access log and is not read. */
function explain(line: string | JsonObject): string | undefined {
  if (typeof line !== 'string')
    return isRequest(line)
      ? 'trusted hops are configured, but the line has no http_x_forwarded_for or http_forwarded: append it to log_format'
      : undefined
  if (!/ \[[^\]]{1,40}\] "/.test(line)) return undefined
  return 'the columns are not those of combined (address - user [time] "request" status bytes): columns before the address are not guessed at; append them as name="value", or use a mapping file'
}

const method = field('request_method')
const target = field('request_uri', 'uri')
const requestTime = field('request_time')
const writtenAt = field('time_iso8601', 'time_local', 'time', 'timestamp')

/** Method and target of `GET /users/1?x=y HTTP/1.1`; nothing of a line that is no HTTP (a TLS hello on a plain port). */
function splitRequestLine(request: unknown): readonly [string | undefined, string | undefined] {
  const match = typeof request === 'string' ? /^([A-Za-z_-]{1,64}) (\S.*?)(?: HTTP\/\d(?:\.\d)?)?$/.exec(request) : null
  return [match?.[1], match?.[2]]
}

/** Epoch ms of the start: the end, as nginx logs it, less the duration. */
function startOf(entry: JsonObject): unknown {
  const durationMs = millisecondsOf(requestTime(entry), 's')
  const logged = millisecondsOf(entry['msec'], 's') ?? timestampOf(writtenAt(entry))
  const parsed = typeof logged === 'string' ? parseRfc3339(logged) : logged
  if (typeof parsed !== 'number') return logged
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

function isRequest(entry: JsonObject): boolean {
  return entry['status'] !== undefined && (entry['request'] !== undefined || entry['request_method'] !== undefined)
}

/** A log_format writes all its columns into each line: one that is not there is in none, and each client would be the balancer. */
function hasForwarding(entry: JsonObject): boolean {
  return entry['http_x_forwarded_for'] !== undefined || entry['http_forwarded'] !== undefined
}

export const nginx: LogFormat = {
  name: 'nginx',
  summary: 'nginx access logs: JSON (escape=json), or combined text with key="value" pairs appended',
  parse: parseCombined,
  explain,
  map: (entry, options) =>
    isRequest(entry) && (options.trustedHops === 0 || hasForwarding(entry)) ? read(entry, options) : undefined,
}
