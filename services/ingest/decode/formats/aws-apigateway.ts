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
import { clientAddress } from './client-address.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { field } from './paths.ts'
import { endUserOf, hostOf, numberOf, textOf, timestampOf } from './values.ts'

const read = {
  timestamp: field('requestTimeEpoch', 'requestTime'),
  appId: field(
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
  userId: field(
    'user_id',
    'userId',
    'authorizer.claims.sub',
    'claims.sub',
    'sub',
    'authorizer.principalId',
    'principalId',
  ),
  apiKeyId: field('identity.apiKeyId', 'apiKeyId'),
  peer: field('identity.sourceIp', 'sourceIp', 'ip'),
  xForwardedFor: field('xForwardedFor', 'x_forwarded_for', 'x-forwarded-for'),
  method: field('httpMethod'),
  routeKey: field('routeKey'),
  template: field('resourcePath'),
  path: field('path'),
  status: field('status'),
  requestId: field('requestId', 'extendedRequestId'),
  userAgent: field('identity.userAgent', 'userAgent'),
  durationMs: field('responseLatency'),
  responseBytes: field('responseLength'),
  traceId: field('xrayTraceId'),
}

/** `GET` and `/users/{id}` of the route key `GET /users/{id}`; nothing of `$default`, and no method of `ANY /users`. */
function splitRouteKey(routeKey: string | undefined): readonly [string | undefined, string | undefined] {
  const space = routeKey?.indexOf(' ') ?? -1
  if (routeKey === undefined || space < 1) return [undefined, routeKey?.startsWith('/') === true ? routeKey : undefined]
  const method = routeKey.slice(0, space)
  return [method === 'ANY' ? undefined : method, routeKey.slice(space + 1)]
}

/** $context.path of a REST API begins with the stage, which is no part of the route. */
function withoutStage(path: string | undefined, stage: unknown): string | undefined {
  if (path === undefined || typeof stage !== 'string' || !path.startsWith(`/${stage}/`)) return path
  return path.slice(stage.length + 1)
}

/** The template, unless it is a catch-all such as /{proxy+}: then the path says more. */
function routeOf(entry: JsonObject, keyTemplate: string | undefined): string | undefined {
  const template = textOf(read.template(entry)) ?? keyTemplate
  if (template !== undefined && !template.includes('+}')) return template
  return withoutStage(textOf(read.path(entry)), entry['stage']) ?? template
}

export const awsApigateway: LogFormat = {
  name: 'aws-apigateway',
  summary: 'Amazon API Gateway access logs in JSON ($context variables)',
  map: (entry, options) => {
    const [keyMethod, keyTemplate] = splitRouteKey(textOf(read.routeKey(entry)))
    const method = read.method(entry) ?? keyMethod
    // WebSocket events (CONNECT, MESSAGE) have neither a method nor a path; CloudWatch subscription envelopes have no fields at all.
    if (method === undefined && keyTemplate === undefined && read.template(entry) === undefined) return undefined
    const appId = textOf(read.appId(entry))
    return {
      timestamp: timestampOf(read.timestamp(entry)),
      app_id: appId,
      client_ip: clientAddress(read.peer(entry), read.xForwardedFor(entry), options),
      method,
      route: routeOf(entry, keyTemplate),
      status_code: numberOf(read.status(entry)),
      user_id: endUserOf(read.userId(entry), appId),
      request_id: textOf(read.requestId(entry)),
      credential_id: textOf(read.apiKeyId(entry)),
      user_agent: textOf(read.userAgent(entry)),
      duration_ms: numberOf(read.durationMs(entry)),
      response_bytes: numberOf(read.responseBytes(entry)),
      host: hostOf(entry['domainName']),
      region: textOf(entry['region']),
      gateway: textOf(entry['apiId']),
      trace_id: textOf(read.traceId(entry)),
    }
  },
}
