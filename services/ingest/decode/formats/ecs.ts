/**
 * Elastic Common Schema, nested or dotted keys. Source: "Elastic Common Schema reference", field sets Base, Client,
 * Source, Event, HTTP, URL, User, User agent, Tracing. event.duration is nanoseconds. event.start is the start of the
 * request when it is there; Beats set @timestamp to the time of the line.
 *
 * ECS has no field for an OAuth client: app_id is `labels.app_id`, `labels.client_id` (labels is ECS's place for custom
 * keywords), or `app_id` at the top. client_ip without trusted hops is source.ip, the peer; client.ip may have been
 * filled from X-Forwarded-For. With trusted hops: the logged header, else network.forwarded_ip, else client.ip.
 */
import { clientIp } from './client-address.ts'
import { durationIn, recordReader } from './fields.ts'
import type { LogFormat } from './format.ts'
import { field } from './paths.ts'
import { rateLimitIn } from './rate-limit.ts'

const method = field('http.request.method')
const status = field('http.response.status_code')

const read = recordReader({
  timestamp: field('event.start', '@timestamp'),
  app_id: field('labels.app_id', 'labels.client_id', 'app_id', 'oauth.client_id'),
  client_ip: clientIp({
    peer: field('source.ip', 'source.address'),
    client: field('network.forwarded_ip', 'client.ip', 'client.address'),
    xForwardedFor: field('http.request.headers.x-forwarded-for', 'http.request.headers.X-Forwarded-For'),
    forwarded: field('http.request.headers.forwarded', 'http.request.headers.Forwarded'),
  }),
  method,
  route: field('http.route', 'url.path', 'url.original', 'url.full'),
  status_code: status,
  user_id: field('user.id', 'client.user.id'),
  request_id: field('event.id', 'http.request.id'),
  credential_id: field('labels.credential_id'),
  user_agent: field('user_agent.original'),
  ratelimit: rateLimitIn(field('http.response.headers')),
  duration_ms: durationIn('ns', field('event.duration')),
  request_bytes: field('http.request.bytes', 'http.request.body.bytes'),
  response_bytes: field('http.response.bytes', 'http.response.body.bytes'),
  host: field('url.domain', 'server.address', 'destination.domain'),
  region: field('cloud.region'),
  gateway: field('observer.name', 'service.name'),
  trace_id: field('trace.id'),
})

export const ecs: LogFormat = {
  name: 'ecs',
  summary: 'Elastic Common Schema documents, nested or dotted',
  map: (entry, options) =>
    method(entry) === undefined && status(entry) === undefined ? undefined : read(entry, options),
}
