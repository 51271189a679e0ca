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
import { isIP } from 'node:net'

import { bareAddress, clientAddress } from './client-address.ts'
import type { FormatOptions, JsonObject, LogFormat } from './format.ts'
import { field, type FieldReader } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, isObject, numberOf, textOf, timestampOf } from './values.ts'

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

const read = {
  received: dimension('client_received_start_timestamp', 'client.received.start.timestamp', 'timestamp'),
  sent: dimension('client_sent_end_timestamp', 'client.sent.end.timestamp'),
  appId: dimension('app_id', 'developer_app_id', 'developer.app.id'),
  appName: dimension('developer_app', 'developer.app.name'),
  developer: dimension('developer', 'developer_id', 'developer.id', 'developer_email', 'developer.email'),
  userId: dimension('user_id', 'app_enduser', 'accesstoken.app_enduser'),
  peer: dimension('client_ip', 'client.ip', 'proxy_client_ip', 'proxy.client.ip'),
  trueClient: dimension('true_client_ip', 'ax_true_client_ip', 'request.header.true-client-ip'),
  xForwardedFor: dimension('x_forwarded_for_ip', 'x_forwarded_for', 'request.header.x-forwarded-for'),
  method: dimension('request_verb', 'request.verb'),
  base: dimension('proxy_basepath', 'proxy.basepath'),
  suffix: dimension('proxy_pathsuffix', 'proxy.pathsuffix'),
  path: dimension('request_path', 'request.path', 'request_uri', 'request.uri'),
  status: dimension('response_status_code', 'response.status.code', 'message.status.code'),
  requestId: dimension('gateway_flow_id', 'messageid', 'message_id', 'request_id'),
  userAgent: dimension('useragent', 'user_agent', 'request.header.user-agent'),
  durationMs: dimension('total_response_time'),
  requestBytes: dimension('request_size'),
  responseBytes: dimension('response_size'),
  host: dimension('request.header.host', 'host'),
  region: dimension('ax_dn_region', 'system.region.name', 'region'),
  gateway: dimension('environment', 'environment.name'),
  traceId: dimension('trace_id'),
}

function appIdOf(entry: JsonObject): string | undefined {
  const id = textOf(read.appId(entry))
  if (id !== undefined) return id
  const name = textOf(read.appName(entry))
  const developer = textOf(read.developer(entry))
  if (name === undefined || developer === undefined) return name
  const at = developer.lastIndexOf('@@@')
  return `${at < 0 ? developer : developer.slice(at + 3)}/${name}`
}

function addressOf(entry: JsonObject, options: FormatOptions): string | undefined {
  const peer = read.peer(entry)
  const xForwardedFor = read.xForwardedFor(entry)
  if (options.trustedHops > 0 && xForwardedFor === undefined) {
    // True-Client-IP is overwritten, not appended to, by the content network in front.
    const address = bareAddress(read.trueClient(entry))
    if (address !== undefined && isIP(address) > 0) return address
  }
  return clientAddress(peer, xForwardedFor, options)
}

function routeOf(entry: JsonObject): unknown {
  const base = textOf(read.base(entry))
  if (base === undefined) return read.path(entry)
  return base + (textOf(read.suffix(entry)) ?? '')
}

/** Milliseconds: the total that analytics computed, else from the first byte in to the last byte out. */
function durationOf(entry: JsonObject, received: unknown): unknown {
  const total = numberOf(read.durationMs(entry))
  if (total !== undefined) return total
  const sent = timestampOf(read.sent(entry))
  return typeof sent === 'number' && typeof received === 'number' && sent >= received ? sent - received : undefined
}

export const apigee: LogFormat = {
  name: 'apigee',
  summary: 'Apigee analytics exports and MessageLogging JSON (flow variable names)',
  map: (line, options) => {
    // Cloud Logging, where MessageLogging writes to, wraps what it exports.
    const entry = isObject(line['jsonPayload']) ? line['jsonPayload'] : line
    const method = read.method(entry)
    const status = read.status(entry)
    if (method === undefined && status === undefined) return undefined
    const received = timestampOf(read.received(entry))
    const appId = appIdOf(entry)
    const limit = readRateLimit(entry)
    return {
      timestamp: received,
      app_id: appId,
      client_ip: addressOf(entry, options),
      method,
      route: routeOf(entry),
      status_code: numberOf(status),
      user_id: endUserOf(read.userId(entry), appId),
      request_id: textOf(read.requestId(entry)),
      user_agent: textOf(read.userAgent(entry)),
      ratelimit_limit: limit.limit,
      ratelimit_remaining: limit.remaining,
      ratelimit_reset: limit.reset,
      duration_ms: durationOf(entry, received),
      request_bytes: numberOf(read.requestBytes(entry)),
      response_bytes: numberOf(read.responseBytes(entry)),
      host: hostOf(read.host(entry)),
      region: textOf(read.region(entry)),
      gateway: textOf(read.gateway(entry)),
      trace_id: textOf(read.traceId(entry)),
    }
  },
}
