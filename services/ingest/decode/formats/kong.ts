/**
 * Kong's http-log, file-log, tcp-log and udp-log plugins. Sources: Kong "HTTP Log" and "File Log" (log format), Kong
 * PDK kong.log.serialize (fields), Kong "Rate Limiting" (response headers). started_at is epoch ms, latencies are ms.
 *
 * app_id is the consumer: `consumer.custom_id` (the operator's own id), else `consumer.id`, else
 * `authenticated_entity.consumer_id`. A field `app_id` added with custom_fields_by_lua goes first, for plugins where
 * one consumer owns several applications (oauth2). `authenticated_entity.id` is the id of the credential, not its
 * secret; request headers and querystring, which hold keys, are not read for identity. user_id is only the custom field
 * `user_id`: a client can send X-Authenticated-Userid itself on any route whose plugin does not overwrite it.
 */
import { clientIp } from './client-address.ts'
import { recordReader } from './fields.ts'
import type { LogFormat } from './format.ts'
import { field } from './paths.ts'
import { rateLimitIn } from './rate-limit.ts'
import { isObject } from './values.ts'

const read = recordReader({
  timestamp: field('started_at'),
  app_id: field('app_id', 'consumer.custom_id', 'consumer.id', 'authenticated_entity.consumer_id'),
  client_ip: clientIp({
    peer: field('client_ip'),
    xForwardedFor: field('request.headers.x-forwarded-for'),
    forwarded: field('request.headers.forwarded'),
  }),
  method: field('request.method'),
  // Not route.paths: those are prefixes and regular expressions that cover many operations.
  route: field('request.uri', 'request.url'),
  status_code: field('response.status'),
  user_id: field('user_id'),
  request_id: field('request.id'),
  credential_id: field('authenticated_entity.id'),
  user_agent: field('request.headers.user-agent'),
  ratelimit: rateLimitIn(field('response.headers')),
  duration_ms: field('latencies.request'),
  request_bytes: field('request.size'),
  response_bytes: field('response.size'),
  host: field('request.headers.host'),
  region: field('region'),
  gateway: field('workspace_name', 'workspace'),
  trace_id: field('trace_id.w3c', 'trace_id'),
})

export const kong: LogFormat = {
  name: 'kong',
  summary: 'Kong http-log, file-log, tcp-log and udp-log plugins (one JSON object a line)',
  // Stream (TCP) services log a `session` instead.
  map: (entry, options) =>
    isObject(entry['request']) && isObject(entry['response']) ? read(entry, options) : undefined,
}
