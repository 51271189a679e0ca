/**
 * Amazon API Gateway access logs (REST and HTTP APIs) in JSON, keys named after the $context variables: nested, dotted
 * ("identity.apiKeyId") or by their last part, as the console's own JSON example does. Source: AWS "Variables for
 * access logging for API Gateway". requestTimeEpoch is epoch ms, responseLatency ms; every value is text and an absent
 * one is '-'.
 *
 * app_id: `app_id` of the log, else what the token says (`authorizer.claims.client_id`, `authorizer.client_id`, `azp`),
 * else `identity.apiKeyId` (the id of the key), else `identity.caller` (IAM principal id, for APIs signed with IAM).
 * `identity.apiKey` is the key itself and is never read. user_id: `authorizer.claims.sub`, `authorizer.principalId`;
 * Cognito gives `sub` = client id for client credentials, which counts as app-only.
 */
import { clientIp } from './client-address.ts'
import { absent, recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { absentLimit } from './rate-limit.ts'
import { textOf } from './values.ts'

const httpMethod = field('httpMethod')
const routeKey = field('routeKey')
const resourcePath = field('resourcePath')
const rawPath = field('path')

/** `GET` and `/users/{id}` of the route key `GET /users/{id}`; nothing of `$default`, and no method of `ANY /users`. */
function splitRouteKey(entry: JsonObject): readonly [string | undefined, string | undefined] {
  const key = textOf(routeKey(entry))
  const space = key?.indexOf(' ') ?? -1
  if (key === undefined || space < 1) return [undefined, key?.startsWith('/') === true ? key : undefined]
  const method = key.slice(0, space)
  return [method === 'ANY' ? undefined : method, key.slice(space + 1)]
}

/** $context.path of a REST API begins with the stage, which is no part of the route. */
function withoutStage(path: string | undefined, stage: unknown): string | undefined {
  if (path === undefined || typeof stage !== 'string' || !path.startsWith(`/${stage}/`)) return path
  return path.slice(stage.length + 1)
}

function templateOf(entry: JsonObject): string | undefined {
  return textOf(resourcePath(entry)) ?? splitRouteKey(entry)[1]
}

function methodOf(entry: JsonObject): unknown {
  return httpMethod(entry) ?? splitRouteKey(entry)[0]
}

/** The template, unless it is a catch-all such as /{proxy+}: then the path says more. */
function routeOf(entry: JsonObject): string | undefined {
  const template = templateOf(entry)
  if (template !== undefined && !template.includes('+}')) return template
  return withoutStage(textOf(rawPath(entry)), entry['stage']) ?? template
}

const read = recordReader({
  timestamp: field('requestTimeEpoch', 'requestTime'),
  app_id: field(
    'app_id',
    'appId',
    'authorizer.claims.client_id',
    'authorizer.client_id',
    'authorizer.claims.azp',
    'claims.client_id',
    'client_id',
    'clientId',
    'identity.apiKeyId',
    'apiKeyId',
    'identity.caller',
    'caller',
  ),
  client_ip: clientIp({
    peer: field('identity.sourceIp', 'sourceIp', 'ip'),
    xForwardedFor: field('xForwardedFor', 'x_forwarded_for', 'x-forwarded-for'),
  }),
  method: methodOf,
  route: routeOf,
  status_code: field('status'),
  user_id: field(
    'user_id',
    'userId',
    'authorizer.claims.sub',
    'claims.sub',
    'sub',
    'authorizer.principalId',
    'principalId',
  ),
  request_id: field('requestId', 'extendedRequestId'),
  credential_id: field('identity.apiKeyId', 'apiKeyId'),
  user_agent: field('identity.userAgent', 'userAgent'),
  ratelimit: absentLimit,
  duration_ms: field('responseLatency'),
  request_bytes: absent,
  response_bytes: field('responseLength'),
  host: field('domainName'),
  region: field('region'),
  gateway: field('apiId'),
  trace_id: field('xrayTraceId'),
})

export const awsApigateway: LogFormat = {
  name: 'aws-apigateway',
  summary: 'Amazon API Gateway access logs in JSON ($context variables)',
  // WebSocket events (CONNECT, MESSAGE) have neither a method nor a path; CloudWatch subscription envelopes have no fields at all.
  map: (entry, options) =>
    methodOf(entry) === undefined && templateOf(entry) === undefined ? undefined : read(entry, options),
}
