/**
 * Elastic Common Schema, nested or dotted keys. Source: "Elastic Common Schema reference", field sets Base, Client,
 * Source, Event, HTTP, URL, User, User agent, Tracing. event.duration is nanoseconds. event.start is the start of the
 * request when it is there; Beats set @timestamp to the time of the line.
 *
 * ECS has no field for an OAuth client: app_id is `labels.app_id`, `labels.client_id` (labels is ECS's place for custom
 * keywords), or `app_id` at the top. client_ip without trusted hops is source.ip, the peer; client.ip may have been
 * filled from X-Forwarded-For. With trusted hops: the logged header, else network.forwarded_ip, else client.ip.
 */
import { bareAddress, clientAddress } from './client-address.ts'
import type { FormatOptions, JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, millisecondsOf, numberOf, textOf, timestampOf } from './values.ts'

const read = {
  timestamp: field('event.start', '@timestamp'),
  appId: field('labels.app_id', 'labels.client_id', 'app_id', 'oauth.client_id'),
  userId: field('user.id', 'client.user.id'),
  credentialId: field('labels.credential_id'),
  peer: field('source.ip', 'source.address'),
  client: field('network.forwarded_ip', 'client.ip', 'client.address'),
  xForwardedFor: field('http.request.headers.x-forwarded-for', 'http.request.headers.X-Forwarded-For'),
  forwarded: field('http.request.headers.forwarded', 'http.request.headers.Forwarded'),
  method: field('http.request.method'),
  route: field('http.route', 'url.path', 'url.original', 'url.full'),
  status: field('http.response.status_code'),
  requestId: field('event.id', 'http.request.id'),
  userAgent: field('user_agent.original'),
  durationNanoseconds: field('event.duration'),
  requestBytes: field('http.request.bytes', 'http.request.body.bytes'),
  responseBytes: field('http.response.bytes', 'http.response.body.bytes'),
  responseHeaders: field('http.response.headers'),
  host: field('url.domain', 'server.address', 'destination.domain'),
  region: field('cloud.region'),
  gateway: field('observer.name', 'service.name'),
  traceId: field('trace.id'),
}

function addressOf(entry: JsonObject, options: FormatOptions): string | undefined {
  const peer = read.peer(entry)
  const client = read.client(entry)
  if (options.trustedHops < 1) return bareAddress(peer ?? client)
  const xForwardedFor = read.xForwardedFor(entry)
  const forwarded = read.forwarded(entry)
  const hasHeader = xForwardedFor !== undefined || forwarded !== undefined
  return clientAddress(hasHeader ? (peer ?? client) : (client ?? peer), xForwardedFor, options, forwarded)
}

export const ecs: LogFormat = {
  name: 'ecs',
  summary: 'Elastic Common Schema documents, nested or dotted',
  map: (entry, options) => {
    const method = read.method(entry)
    const status = read.status(entry)
    if (method === undefined && status === undefined) return undefined
    const limit = readRateLimit(read.responseHeaders(entry))
    const appId = textOf(read.appId(entry))
    return {
      timestamp: timestampOf(read.timestamp(entry)),
      app_id: appId,
      client_ip: addressOf(entry, options),
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
      duration_ms: millisecondsOf(read.durationNanoseconds(entry), 'ns'),
      request_bytes: numberOf(read.requestBytes(entry)),
      response_bytes: numberOf(read.responseBytes(entry)),
      host: hostOf(read.host(entry)),
      region: textOf(read.region(entry)),
      gateway: textOf(read.gateway(entry)),
      trace_id: textOf(read.traceId(entry)),
    }
  },
}
