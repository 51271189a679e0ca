/**
 * A mapping file: a log format described by paths, for gateways that no built-in format knows (docs/formats.md has an
 * example).
 *
 * The file is checked as a whole before the first line is read; every problem is reported with the file and the field
 * it is in.
 */
import { readFileSync } from 'node:fs'

import { z } from 'zod'

import { errorMessage, SidestepError } from '#lib/errors.ts'
import { RequestRecord } from '#schemas/request-record.ts'

import { clientAddress } from './client-address.ts'
import type { FormatOptions, JsonObject, LogFormat } from './format.ts'
import { keyValues } from './key-values.ts'
import { field, type FieldReader } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'
import {
  hostOf,
  isPresent,
  millisecondsOf,
  nanosecondsToEpochMs,
  numberOf,
  textOf,
  timestampOf,
  type TimeUnit,
} from './values.ts'

const FieldName = RequestRecord.keyof()
type FieldName = z.infer<typeof FieldName>

const REQUIRED: readonly FieldName[] = ['timestamp', 'app_id', 'client_ip', 'method', 'route', 'status_code']

/** Fields whose numbers come in a unit. */
const WITH_UNIT: ReadonlySet<FieldName> = new Set(['timestamp', 'duration_ms'])

/** Last part of paths that hold a secret: an application is told by its id, never by its key. */
const SECRET =
  /(?:^|[._-])(?:authorization|cookie|api[_-]?key|access[_-]?token|id[_-]?token|secret|password|consumer[_-]?key)$/i

const path = z.string().min(1).max(256)

const FieldRule = z.preprocess(
  (rule) => (typeof rule === 'string' || Array.isArray(rule) ? { path: rule } : rule),
  z
    .strictObject({
      path: z.union([path, z.array(path).min(1)], 'a path, or a list of paths to try in order').optional(),
      unit: z.enum(['s', 'ms', 'us', 'ns']).optional(),
      default: z.union([z.string(), z.number()]).optional(),
    })
    .refine((rule) => rule.path !== undefined || rule.default !== undefined, 'needs a path or a default'),
)
type FieldRule = z.infer<typeof FieldRule>

function pathsOf(rule: FieldRule): readonly string[] {
  return typeof rule.path === 'string' ? [rule.path] : (rule.path ?? [])
}

const MappingFile = z
  .strictObject({
    $schema: z.string().optional(),
    name: z.string().min(1).max(64).default('mapping file'),
    summary: z.string().max(256).optional(),
    parse: z.enum(['json', 'logfmt']).default('json'),
    fields: z.partialRecord(FieldName, FieldRule),
    forwarded_for: path.optional(),
    forwarded: path.optional(),
    response_headers: path.optional(),
  })
  .superRefine((file, context) => {
    const problem = (name: FieldName, message: string): void =>
      context.addIssue({ code: 'custom', path: ['fields', name], message })
    for (const name of REQUIRED) if (file.fields[name] === undefined) problem(name, 'is required')
    for (const name of FieldName.options) {
      const rule = file.fields[name]
      if (rule === undefined) continue
      if (rule.unit !== undefined && !WITH_UNIT.has(name)) problem(name, 'takes no unit')
      const isIdentity = name === 'app_id' || name === 'credential_id' || name === 'user_id'
      const secret = isIdentity ? pathsOf(rule).find((candidate) => SECRET.test(candidate)) : undefined
      if (secret !== undefined) problem(name, `'${secret}' holds a secret; log the id that belongs to it instead`)
    }
  })
type MappingFile = z.infer<typeof MappingFile>

function timeOf(value: unknown, unit: TimeUnit | undefined): unknown {
  if (unit === undefined) return timestampOf(value)
  if (unit === 'ns') return nanosecondsToEpochMs(value)
  const milliseconds = millisecondsOf(value, unit)
  return typeof milliseconds === 'number' ? milliseconds : timestampOf(milliseconds)
}

/** From what the log has to what each field takes. */
const CONVERT: Readonly<Record<FieldName, (value: unknown, unit: TimeUnit | undefined) => unknown>> = {
  timestamp: timeOf,
  app_id: textOf,
  client_ip: textOf,
  method: textOf,
  route: textOf,
  status_code: numberOf,
  user_id: textOf,
  request_id: textOf,
  credential_id: textOf,
  user_agent: textOf,
  ratelimit_limit: numberOf,
  ratelimit_remaining: numberOf,
  ratelimit_reset: numberOf,
  duration_ms: (value, unit) => millisecondsOf(value, unit ?? 'ms'),
  request_bytes: numberOf,
  response_bytes: numberOf,
  host: hostOf,
  region: textOf,
  gateway: textOf,
  trace_id: textOf,
}

interface CompiledField {
  readonly name: FieldName
  readonly read: FieldReader
  readonly unit: TimeUnit | undefined
  readonly fallback: string | number | undefined
}

function compile(fields: MappingFile['fields']): readonly CompiledField[] {
  const compiled: CompiledField[] = []
  for (const name of FieldName.options) {
    const rule = fields[name]
    if (rule === undefined) continue
    compiled.push({ name, read: field(...pathsOf(rule)), unit: rule.unit, fallback: rule.default })
  }
  return compiled
}

function parseLogfmt(line: string): JsonObject {
  return keyValues(line, true)
}

function compileMap(file: MappingFile): LogFormat['map'] {
  const fields = compile(file.fields)
  const forwardedFor = file.forwarded_for === undefined ? undefined : field(file.forwarded_for)
  const forwarded = file.forwarded === undefined ? undefined : field(file.forwarded)
  const responseHeaders = file.response_headers === undefined ? undefined : field(file.response_headers)
  return (entry: JsonObject, options: FormatOptions) => {
    const record: Record<string, unknown> = {}
    let found = 0
    for (const { name, read, unit, fallback } of fields) {
      const value = read(entry)
      if (isPresent(value)) found += 1
      record[name] = CONVERT[name](value, unit) ?? fallback
    }
    if (found === 0) return undefined
    record['client_ip'] = clientAddress(record['client_ip'], forwardedFor?.(entry), options, forwarded?.(entry))
    if (responseHeaders !== undefined) {
      const limit = readRateLimit(responseHeaders(entry))
      record['ratelimit_limit'] ??= limit.limit
      record['ratelimit_remaining'] ??= limit.remaining
      record['ratelimit_reset'] ??= limit.reset
    }
    return record
  }
}

function problemsOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`))
    .join('; ')
}

/**
 * Reads and checks a mapping file. Throws SidestepError (usage) that names the file and every field in fault.
 * Meant for start-up: it reads synchronously.
 */
export function loadMappingFile(filePath: string): LogFormat {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(filePath, 'utf8'))
  } catch (error) {
    throw new SidestepError('usage', `Cannot read mapping file ${filePath}: ${errorMessage(error)}`, { cause: error })
  }
  const parsed = MappingFile.safeParse(content)
  if (!parsed.success) {
    const message = `Mapping file ${filePath} is not usable: ${problemsOf(parsed.error)}. See docs/formats.md.`
    throw new SidestepError('usage', message, { cause: parsed.error })
  }
  const format: LogFormat = {
    name: parsed.data.name,
    summary: parsed.data.summary ?? `mapping file ${filePath}`,
    map: compileMap(parsed.data),
  }
  return parsed.data.parse === 'logfmt' ? { ...format, parse: parseLogfmt } : format
}
