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

import { clientIp } from './client-address.ts'
import { absent, durationIn, epochIn, FieldName, recordReader } from './fields.ts'
import type { JsonObject, LogFormat } from './format.ts'
import { keyValues } from './key-values.ts'
import { field, type FieldReader } from './paths.ts'
import { readRateLimit } from './rate-limit.ts'

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

function parseLogfmt(line: string): JsonObject {
  return keyValues(line, true)
}

/** The value that the rule finds, in the unit of the request record, else its default. */
function readerOf(rule: FieldRule | undefined, inUnit: typeof epochIn): FieldReader {
  if (rule === undefined) return absent
  const found = field(...pathsOf(rule))
  const read = rule.unit === undefined ? found : inUnit(rule.unit, found)
  return rule.default === undefined ? read : (entry) => read(entry) ?? rule.default
}

/** Where the log has a header, or headers, when the file says so. */
function optionalPath(name: string | undefined): FieldReader {
  return name === undefined ? absent : field(name)
}

function compileMap(file: MappingFile): LogFormat['map'] {
  const reader = (name: FieldName): FieldReader =>
    readerOf(file.fields[name], name === 'timestamp' ? epochIn : durationIn)
  const headers = optionalPath(file.response_headers)
  const limit = reader('ratelimit_limit')
  const remaining = reader('ratelimit_remaining')
  const reset = reader('ratelimit_reset')
  const read = recordReader({
    timestamp: reader('timestamp'),
    app_id: reader('app_id'),
    client_ip: clientIp({
      peer: reader('client_ip'),
      xForwardedFor: optionalPath(file.forwarded_for),
      forwarded: optionalPath(file.forwarded),
    }),
    method: reader('method'),
    route: reader('route'),
    status_code: reader('status_code'),
    user_id: reader('user_id'),
    request_id: reader('request_id'),
    credential_id: reader('credential_id'),
    user_agent: reader('user_agent'),
    ratelimit: (entry) => {
      const told = readRateLimit(headers(entry))
      return {
        limit: limit(entry) ?? told.limit,
        remaining: remaining(entry) ?? told.remaining,
        reset: reset(entry) ?? told.reset,
      }
    },
    duration_ms: reader('duration_ms'),
    request_bytes: reader('request_bytes'),
    response_bytes: reader('response_bytes'),
    host: reader('host'),
    region: reader('region'),
    gateway: reader('gateway'),
    trace_id: reader('trace_id'),
  })
  const finders = Object.values(file.fields).map((rule) => field(...pathsOf(rule)))
  return (entry, options) => (finders.some((find) => find(entry) !== undefined) ? read(entry, options) : undefined)
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
