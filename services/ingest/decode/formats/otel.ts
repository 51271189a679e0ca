/**
 * OpenTelemetry: one HTTP server span or one log record a line, as OTLP JSON (attributes as an array of {key, value})
 * or with attributes as an object; attribute names by the HTTP semantic conventions, current or before 1.23. Sources:
 * OpenTelemetry "Semantic conventions for HTTP spans", "HTTP metrics" (http.server.request.duration is seconds), "OTLP
 * JSON Protobuf encoding" (64-bit integers are text).
 *
 * A batch (resourceSpans or resourceLogs) is read when it holds exactly one record; the collector must split larger
 * ones, because one line is one request. Client, producer and internal spans are not requests to this API and map to
 * undefined. app_id is the attribute `app_id`, `oauth.client_id` or `client_id` (the conventions have none); user_id is
 * `user.id`, before `enduser.id`. client_ip without trusted hops is network.peer.address: instrumentations fill
 * client.address from the first entry of X-Forwarded-For, which the client writes. With trusted hops: the header
 * attribute, else client.address.
 */
import { bareAddress, clientAddress } from './client-address.ts'
import type { FormatOptions, JsonObject, LogFormat } from './format.ts'
import { attributesOf, soleRecord } from './otlp.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, millisecondsOf, nanosecondsToEpochMs, numberOf, textOf, timestampOf } from './values.ts'

const read = {
  appId: field('app_id', 'oauth.client_id', 'client_id'),
  userId: field('user.id', 'enduser.id'),
  credentialId: field('credential_id'),
  peer: field('network.peer.address', 'net.sock.peer.addr', 'net.peer.ip'),
  client: field('client.address', 'http.client_ip'),
  xForwardedFor: field('http.request.header.x-forwarded-for', 'http.request.header.x_forwarded_for'),
  forwarded: field('http.request.header.forwarded'),
  method: field('http.request.method', 'http.method'),
  route: field('http.route', 'url.path', 'http.target', 'url.full', 'http.url'),
  status: field('http.response.status_code', 'http.status_code'),
  requestId: field('http.request.header.x-request-id', 'request.id', 'log.record.uid'),
  userAgent: field('user_agent.original', 'http.user_agent', 'http.request.header.user-agent'),
  durationSeconds: field('http.server.request.duration'),
  requestBytes: field('http.request.size', 'http.request.body.size', 'http.request_content_length'),
  responseBytes: field('http.response.size', 'http.response.body.size', 'http.response_content_length'),
  host: field('server.address', 'http.host', 'net.host.name'),
  region: field('cloud.region'),
  gateway: field('service.name'),
}

/** Span kinds are a number in OTLP JSON and a name in some exporters; log records have none. */
function isServerSide(kind: unknown): boolean {
  return kind === undefined || kind === 0 || kind === 2 || kind === 'SPAN_KIND_SERVER' || kind === 'SERVER'
}

/** Epoch ms; zero means unknown in OTLP. */
function startOf(record: JsonObject): unknown {
  for (const key of ['startTimeUnixNano', 'timeUnixNano', 'observedTimeUnixNano']) {
    const nanoseconds = record[key]
    if (nanoseconds !== undefined && nanoseconds !== 0 && nanoseconds !== '0') return nanosecondsToEpochMs(nanoseconds)
  }
  return timestampOf(record['timestamp'] ?? record['@timestamp'])
}

/** Milliseconds: the duration attribute, else from start to end of the span. */
function durationOf(record: JsonObject, attributes: JsonObject): unknown {
  const attribute = millisecondsOf(read.durationSeconds(attributes), 's')
  if (attribute !== undefined) return attribute
  const { startTimeUnixNano: start, endTimeUnixNano: end } = record
  if (typeof start !== 'string' || typeof end !== 'string') return undefined
  if (!/^\d{1,20}$/.test(start) || !/^\d{1,20}$/.test(end)) return undefined
  return Number(BigInt(end) - BigInt(start)) / 1e6
}

function addressOf(attributes: JsonObject, options: FormatOptions): string | undefined {
  const peer = read.peer(attributes)
  const client = read.client(attributes)
  if (options.trustedHops < 1) return bareAddress(peer ?? client)
  const xForwardedFor = read.xForwardedFor(attributes)
  const forwarded = read.forwarded(attributes)
  const hasHeader = xForwardedFor !== undefined || forwarded !== undefined
  return clientAddress(hasHeader ? (peer ?? client) : (client ?? peer), xForwardedFor, options, forwarded)
}

export const otel: LogFormat = {
  name: 'otel',
  summary: 'OpenTelemetry HTTP server spans or log records, one OTLP JSON record a line',
  map: (entry, options) => {
    const found = soleRecord(entry)
    if (found === undefined || !isServerSide(found.record['kind'])) return undefined
    const { record, resource } = found
    const attributes = attributesOf(record['attributes']) ?? record
    const method = read.method(attributes)
    if (method === undefined) return undefined
    const limit = readRateLimit(attributes, 'http.response.header.')
    const appId = textOf(read.appId(attributes))
    return {
      timestamp: startOf(record),
      app_id: appId,
      client_ip: addressOf(attributes, options),
      method,
      route: read.route(attributes),
      status_code: numberOf(read.status(attributes)),
      user_id: endUserOf(read.userId(attributes), appId),
      request_id: firstText(read.requestId(attributes)) ?? textOf(record['spanId']),
      credential_id: textOf(read.credentialId(attributes)),
      user_agent: firstText(read.userAgent(attributes)),
      ratelimit_limit: limit.limit,
      ratelimit_remaining: limit.remaining,
      ratelimit_reset: limit.reset,
      duration_ms: durationOf(record, attributes),
      request_bytes: numberOf(read.requestBytes(attributes)),
      response_bytes: numberOf(read.responseBytes(attributes)),
      host: hostOf(read.host(attributes)),
      region: textOf(read.region(resource) ?? read.region(attributes)),
      gateway: textOf(read.gateway(resource) ?? read.gateway(attributes)),
      trace_id: textOf(record['traceId']),
    }
  },
}

/** Header attributes are arrays of text. */
function firstText(value: unknown): string | undefined {
  return textOf(Array.isArray(value) ? value[0] : value)
}
