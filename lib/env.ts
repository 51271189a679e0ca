/**
 * Environment variables by one zod schema: empty ones are absent, secrets may come as files (NAME_FILE), and every problem is reported at once.
 *
 * No value is ever printed: it may be a secret.
 */
import { readFileSync } from 'node:fs'

import { z } from 'zod'

import { errorMessage, SidestepError } from './errors.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** Where the data is: a server, else the embedded engine in a directory. */
export const STORE_VARIABLES = {
  CLICKHOUSE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL, e.g. http://user:password@host:8123/sidestep' })
    .optional(),
  DATA_DIR: z.string().min(1).default('./data'),
} as const

/** What every service has. */
export const SERVICE_VARIABLES = {
  ...STORE_VARIABLES,
  HTTP_HOST: z.string().min(1).default('0.0.0.0'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
} as const

/** Whole numbers from `low` to `high`. */
export function whole(low: number, high: number, fallback: number) {
  return z.coerce
    .number()
    .int()
    .refine((value) => value >= low && value <= high, `must be a whole number from ${low} to ${high}`)
    .default(fallback)
}

/** Variables as they are meant. Adds what is wrong to `problems`. */
function resolveSecrets(env: Variables, secrets: readonly string[], problems: string[]): Variables {
  const resolved: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(env)) if (value !== '') resolved[name] = value
  for (const name of secrets) {
    const path = resolved[`${name}_FILE`]
    if (path === undefined) continue
    if (resolved[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set; set one of them`)
    try {
      resolved[name] = readFileSync(path, 'utf8').trim()
    } catch (error) {
      problems.push(`${name}_FILE: ${errorMessage(error)}`)
    }
  }
  return resolved
}

/** Reads what `schema` names. `secrets`: variables that may be given as NAME_FILE. Throws one usage error that names every problem. */
export function readEnvironment<Schema extends z.ZodType>(
  schema: Schema,
  secrets: readonly string[],
  env: Variables,
): z.output<Schema> {
  const problems: string[] = []
  const parsed = schema.safeParse(resolveSecrets(env, secrets, problems))
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`)
  }
  if (parsed.success && problems.length === 0) return parsed.data
  const list = problems.map((problem) => `  ${problem}`).join('\n')
  throw new SidestepError('usage', `the environment is not usable:\n${list}`)
}
