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
import { clientAddress } from './client-address.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import { endUserOf, hostOf, isObject, numberOf, textOf, timestampOf } from './values.ts'

const NO_HEADERS: JsonObject = {}

const readAppId = field('app_id', 'consumer.custom_id', 'consumer.id', 'authenticated_entity.consumer_id')
const readCredentialId = field('authenticated_entity.id')
const readDurationMs = field('latencies.request')
const readRequestId = field('request.id')
const readTraceId = field('trace_id.w3c', 'trace_id')

/** A header by its name in lower case, as Kong logs request headers. */
function headersOf(message: JsonObject): JsonObject {
  return isObject(message['headers']) ? message['headers'] : NO_HEADERS
}

export const kong: LogFormat = {
  name: 'kong',
  summary: 'Kong http-log, file-log, tcp-log and udp-log plugins (one JSON object a line)',
  map: (entry, options) => {
    const request = entry['request']
    const response = entry['response']
    // Stream (TCP) services log a `session` instead.
    if (!isObject(request) || !isObject(response)) return undefined
    const headers = headersOf(request)
    const limit = readRateLimit(response['headers'])
    const appId = textOf(readAppId(entry))
    return {
      timestamp: timestampOf(entry['started_at']),
      app_id: appId,
      client_ip: clientAddress(entry['client_ip'], headers['x-forwarded-for'], options, headers['forwarded']),
      method: request['method'],
      // Not route.paths: those are prefixes and regular expressions that cover many operations.
      route: request['uri'] ?? request['url'],
      status_code: numberOf(response['status']),
      user_id: endUserOf(entry['user_id'], appId),
      request_id: textOf(readRequestId(entry)),
      credential_id: textOf(readCredentialId(entry)),
      user_agent: textOf(headers['user-agent']),
      ratelimit_limit: limit.limit,
      ratelimit_remaining: limit.remaining,
      ratelimit_reset: limit.reset,
      duration_ms: numberOf(readDurationMs(entry)),
      request_bytes: numberOf(request['size']),
      response_bytes: numberOf(response['size']),
      host: hostOf(headers['host']),
      region: textOf(entry['region']),
      gateway: textOf(entry['workspace_name'] ?? entry['workspace']),
      trace_id: textOf(readTraceId(entry)),
    }
  },
}
