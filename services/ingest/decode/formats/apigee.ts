/**
 * Apigee (X, hybrid, Edge): rows of analytics exports, and JSON written by the MessageLogging policy with flow variable
 * names, nested or dotted. Sources: Apigee "Analytics metrics, dimensions, and filters reference", "Flow variables
 * reference", "MessageLogging policy". Timestamps are epoch ms (or "2026-04-09 12:34:56.789 UTC" in exports),
 * total_response_time is ms, absent dimensions are "(not set)".
 *
 * app_id is the app's id (`developer.app.id`, or `app_id`), else `<developer>/<developer_app>`, because app names are
 * unique for one developer only (of a developer id `org@@@uuid` the part after @@@). Apigee's `client_id` is the
 * consumer key, which alone opens an API protected by VerifyAPIKey: it is never read, nor is `access_token`. user_id is
 * `app_enduser` of the OAuth token, or `user_id`. The route is proxy_basepath + proxy_pathsuffix, what the client
 * called; request_path belongs to the target service. `ax_resolved_client_ip` is never believed: by default it is the
 * first address of X-Forwarded-For, which the client writes.
 */
import { clientIp } from './client-address.ts'
import { absent, recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { field, type FieldReader } from './paths.ts'
import { rateLimitIn } from './rate-limit.ts'
import { isObject, numberOf, textOf, timestampOf } from './values.ts'

/** A reader of the first name with a value, for which analytics' "(not set)" is absent. */
function dimension(...names: readonly string[]): FieldReader {
  const readers = names.map((name) => field(name))
  return (entry) => {
    for (const reader of readers) {
      const value = reader(entry)
      if (value !== undefined && value !== '(not set)') return value
    }
    return undefined
  }
}

const received = dimension('client_received_start_timestamp', 'client.received.start.timestamp', 'timestamp')
const sent = dimension('client_sent_end_timestamp', 'client.sent.end.timestamp')
const totalMs = dimension('total_response_time')
const id = dimension('app_id', 'developer_app_id', 'developer.app.id')
const appName = dimension('developer_app', 'developer.app.name')
const developer = dimension('developer', 'developer_id', 'developer.id', 'developer_email', 'developer.email')
const method = dimension('request_verb', 'request.verb')
const status = dimension('response_status_code', 'response.status.code', 'message.status.code')
const base = dimension('proxy_basepath', 'proxy.basepath')
const suffix = dimension('proxy_pathsuffix', 'proxy.pathsuffix')
const requestPath = dimension('request_path', 'request.path', 'request_uri', 'request.uri')

function appIdOf(entry: JsonObject): string | undefined {
  const appId = textOf(id(entry))
  if (appId !== undefined) return appId
  const name = textOf(appName(entry))
  const owner = textOf(developer(entry))
  if (name === undefined || owner === undefined) return name
  const at = owner.lastIndexOf('@@@')
  return `${at < 0 ? owner : owner.slice(at + 3)}/${name}`
}

function routeOf(entry: JsonObject): unknown {
  const start = textOf(base(entry))
  return start === undefined ? requestPath(entry) : start + (textOf(suffix(entry)) ?? '')
}

/** Milliseconds: the total that analytics computed, else from the first byte in to the last byte out. */
function durationOf(entry: JsonObject): unknown {
  const total = numberOf(totalMs(entry))
  if (total !== undefined) return total
  const start = timestampOf(received(entry))
  const end = timestampOf(sent(entry))
  return typeof end === 'number' && typeof start === 'number' && end >= start ? end - start : undefined
}

const read = recordReader({
  timestamp: received,
  app_id: appIdOf,
  client_ip: clientIp({
    peer: dimension('client_ip', 'client.ip', 'proxy_client_ip', 'proxy.client.ip'),
    overwritten: dimension('true_client_ip', 'ax_true_client_ip', 'request.header.true-client-ip'),
    xForwardedFor: dimension('x_forwarded_for_ip', 'x_forwarded_for', 'request.header.x-forwarded-for'),
  }),
  method,
  route: routeOf,
  status_code: status,
  user_id: dimension('user_id', 'app_enduser', 'accesstoken.app_enduser'),
  request_id: dimension('gateway_flow_id', 'messageid', 'message_id', 'request_id'),
  credential_id: absent,
  user_agent: dimension('useragent', 'user_agent', 'request.header.user-agent'),
  ratelimit: rateLimitIn((entry) => entry),
  duration_ms: durationOf,
  request_bytes: dimension('request_size'),
  response_bytes: dimension('response_size'),
  host: dimension('request.header.host', 'host'),
  region: dimension('ax_dn_region', 'system.region.name', 'region'),
  gateway: dimension('environment', 'environment.name'),
  trace_id: dimension('trace_id'),
})

export const apigee: LogFormat = {
  name: 'apigee',
  summary: 'Apigee analytics exports and MessageLogging JSON (flow variable names)',
  map: (line, options) => {
    // Cloud Logging, where MessageLogging writes to, wraps what it exports.
    const entry = isObject(line['jsonPayload']) ? line['jsonPayload'] : line
    return method(entry) === undefined && status(entry) === undefined ? undefined : read(entry, options)
  },
}
