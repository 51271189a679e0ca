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
import { clientIp } from './client-address.ts'
import { recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { attributesOf, soleRecord, type OtlpRecord } from './otlp.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { millisecondsOf, nanosecondsToEpochMs, timestampOf } from './values.ts'

/** A span or log record, and its attributes by name. */
interface Source extends OtlpRecord {
  readonly attributes: JsonObject
}

/** Reads the first of these attributes. Header attributes are arrays of text: the first counts. */
function attribute(...names: readonly string[]): (source: Source) => unknown {
  const read = field(...names)
  return ({ attributes }) => {
    const value = read(attributes)
    return Array.isArray(value) ? value[0] : value
  }
}

/** Reads a header attribute with all its lines. */
function header(...names: readonly string[]): (source: Source) => unknown {
  const read = field(...names.map((name) => `http.request.header.${name}`))
  return ({ attributes }) => read(attributes)
}

/** Reads what describes the process that wrote the record, else the record. */
function resource(name: string): (source: Source) => unknown {
  const read = field(name)
  return (source) => read(source.resource) ?? read(source.attributes)
}

const method = field('http.request.method', 'http.method')
const requestId = attribute('http.request.header.x-request-id', 'request.id', 'log.record.uid')
const durationSeconds = attribute('http.server.request.duration')

/** Span kinds are a number in OTLP JSON and a name in some exporters; log records have none. */
function isServerSide(kind: unknown): boolean {
  return kind === undefined || kind === 0 || kind === 2 || kind === 'SPAN_KIND_SERVER' || kind === 'SERVER'
}

/** Epoch ms; zero means unknown in OTLP. */
function startOf({ record }: Source): unknown {
  for (const key of ['startTimeUnixNano', 'timeUnixNano', 'observedTimeUnixNano']) {
    const nanoseconds = record[key]
    if (nanoseconds !== undefined && nanoseconds !== 0 && nanoseconds !== '0') return nanosecondsToEpochMs(nanoseconds)
  }
  return timestampOf(record['timestamp'] ?? record['@timestamp'])
}

/** Milliseconds: the duration attribute, else from start to end of the span. */
function durationOf(source: Source): unknown {
  const told = millisecondsOf(durationSeconds(source), 's')
  if (told !== undefined) return told
  const { startTimeUnixNano: start, endTimeUnixNano: end } = source.record
  if (typeof start !== 'string' || typeof end !== 'string') return undefined
  if (!/^\d{1,20}$/.test(start) || !/^\d{1,20}$/.test(end)) return undefined
  return Number(BigInt(end) - BigInt(start)) / 1e6
}

const read = recordReader<Source>({
  timestamp: startOf,
  app_id: attribute('app_id', 'oauth.client_id', 'client_id'),
  client_ip: clientIp({
    peer: attribute('network.peer.address', 'net.sock.peer.addr', 'net.peer.ip'),
    client: attribute('client.address', 'http.client_ip'),
    xForwardedFor: header('x-forwarded-for', 'x_forwarded_for'),
    forwarded: header('forwarded'),
  }),
  method: ({ attributes }) => method(attributes),
  route: attribute('http.route', 'url.path', 'http.target', 'url.full', 'http.url'),
  status_code: attribute('http.response.status_code', 'http.status_code'),
  user_id: attribute('user.id', 'enduser.id'),
  request_id: (source) => requestId(source) ?? source.record['spanId'],
  credential_id: attribute('credential_id'),
  user_agent: attribute('user_agent.original', 'http.user_agent', 'http.request.header.user-agent'),
  ratelimit: ({ attributes }) => readRateLimit(attributes, 'http.response.header.'),
  duration_ms: durationOf,
  request_bytes: attribute('http.request.size', 'http.request.body.size', 'http.request_content_length'),
  response_bytes: attribute('http.response.size', 'http.response.body.size', 'http.response_content_length'),
  host: attribute('server.address', 'http.host', 'net.host.name'),
  region: resource('cloud.region'),
  gateway: resource('service.name'),
  trace_id: ({ record }) => record['traceId'],
})

export const otel: LogFormat = {
  name: 'otel',
  summary: 'OpenTelemetry HTTP server spans or log records, one OTLP JSON record a line',
  map: (entry, options) => {
    const found = soleRecord(entry)
    if (found === undefined || !isServerSide(found.record['kind'])) return undefined
    const attributes = attributesOf(found.record['attributes']) ?? found.record
    return method(attributes) === undefined ? undefined : read({ ...found, attributes }, options)
  },
}
