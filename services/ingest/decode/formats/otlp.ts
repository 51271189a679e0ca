/** The envelope and values of OTLP JSON. Source: OpenTelemetry protocol specification, "JSON Protobuf encoding". */
import type { JsonObject } from './format.ts'
import { isObject } from './values.ts'

const NO_ATTRIBUTES: JsonObject = {}

/** The plain value of an AnyValue such as { stringValue: 'GET' } or { intValue: '200' }; arrays of them as arrays. */
function plainValue(value: unknown): unknown {
  if (!isObject(value)) return value
  const simple = value['stringValue'] ?? value['intValue'] ?? value['doubleValue'] ?? value['boolValue']
  if (simple !== undefined) return simple
  const list = isObject(value['arrayValue']) ? value['arrayValue']['values'] : undefined
  return Array.isArray(list) ? list.map((item) => (isObject(item) ? item['stringValue'] : item)) : undefined
}

/** Attributes as an object of plain values: an array of {key, value} is converted, an object is taken as it is. */
export function attributesOf(attributes: unknown): JsonObject | undefined {
  if (isObject(attributes)) return attributes
  if (!Array.isArray(attributes)) return undefined
  const plain: Record<string, unknown> = Object.create(null)
  for (const attribute of attributes) {
    if (isObject(attribute) && typeof attribute['key'] === 'string')
      plain[attribute['key']] = plainValue(attribute['value'])
  }
  return plain
}

/** The one object of an array of exactly one. */
function soleObject(list: unknown): JsonObject | undefined {
  const only: unknown = Array.isArray(list) && list.length === 1 ? list[0] : undefined
  return isObject(only) ? only : undefined
}

/** A span or log record with the attributes of its resource. */
export interface OtlpRecord {
  readonly record: JsonObject
  readonly resource: JsonObject
}

/** The record of a line: the line itself, or the only one of an export batch. Undefined for a batch of several. */
export function soleRecord(entry: JsonObject): OtlpRecord | undefined {
  const isLogs = entry['resourceLogs'] !== undefined
  if (!isLogs && entry['resourceSpans'] === undefined) {
    return { record: entry, resource: resourceOf(entry['resource']) }
  }
  const group = soleObject(isLogs ? entry['resourceLogs'] : entry['resourceSpans'])
  const scope = soleObject(isLogs ? group?.['scopeLogs'] : group?.['scopeSpans'])
  const record = soleObject(isLogs ? scope?.['logRecords'] : scope?.['spans'])
  return record === undefined ? undefined : { record, resource: resourceOf(group?.['resource']) }
}

function resourceOf(resource: unknown): JsonObject {
  if (!isObject(resource)) return NO_ATTRIBUTES
  return attributesOf(resource['attributes']) ?? resource
}
