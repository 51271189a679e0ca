/**
 * Configuration of the command line, from environment variables: one schema, read once, all problems reported at once.
 *
 * A secret may also come as a file: CLICKHOUSE_URL_FILE holds what CLICKHOUSE_URL would (a URL carries a password).
 */
import { readFileSync } from 'node:fs'

import { z } from 'zod'

import { errorMessage, SidestepError } from '#lib/errors.ts'

const ClickHouseUrl = z.url({
  protocol: /^https?$/,
  error: 'must be an http or https URL, e.g. http://user:password@host:8123/sidestep',
})

const Environment = z.object({
  CLICKHOUSE_URL: ClickHouseUrl.optional(),
  DATA_DIR: z.string().min(1).default('./data'),
})

/** Variables that may be given as NAME_FILE, the path of a file that holds the value. */
const SECRETS = ['CLICKHOUSE_URL'] as const

export interface Config {
  /** Server, or undefined for the embedded engine. */
  readonly clickhouseUrl: string | undefined
  /** Data directory of the embedded engine. */
  readonly dataDir: string
}

type Variables = Readonly<Record<string, string | undefined>>

/** Variables as they are meant: empty ones are absent, and files are read. Adds what is wrong to `problems`. */
function resolveSecrets(env: Variables, problems: string[]): Variables {
  const resolved: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(env)) if (value !== '') resolved[name] = value
  for (const name of SECRETS) {
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

/** Reads the configuration. Throws one usage error that names every problem; never prints a value, which may be a secret. */
export function readConfig(env: Variables = process.env): Config {
  const problems: string[] = []
  const parsed = Environment.safeParse(resolveSecrets(env, problems))
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`)
  }
  if (!parsed.success || problems.length > 0) {
    throw new SidestepError(
      'usage',
      `the environment is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    )
  }
  const { CLICKHOUSE_URL, DATA_DIR } = parsed.data
  return { clickhouseUrl: CLICKHOUSE_URL, dataDir: DATA_DIR }
}

/** True when SIDESTEP_DEBUG=1 asks for errors with their stacks. Apart from the rest, because that may be what is not usable. */
export function isDebug(env: Variables = process.env): boolean {
  return env['SIDESTEP_DEBUG'] === '1'
}
