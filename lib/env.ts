/**
 * Environment variables by one zod schema: empty ones are absent, secrets may come as files (NAME_FILE), and every problem is reported at once.
 *
 * No value is ever printed: it may be a secret.
 */
import { readFileSync } from 'node:fs'

import type { z } from 'zod'

import { errorMessage, SidestepError } from './errors.ts'

export type Variables = Readonly<Record<string, string | undefined>>

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
