/**
 * Configuration of the command line, from environment variables: one schema, read once, all problems reported at once.
 *
 * A secret may also come as a file: CLICKHOUSE_URL_FILE holds what CLICKHOUSE_URL would (a URL carries a password).
 */
import { z } from 'zod'

import { readEnvironment, STORE_VARIABLES, type Variables } from '#lib/env.ts'

const Environment = z.object(STORE_VARIABLES)

export interface Config {
  /** Server, or undefined for the embedded engine. */
  readonly clickhouseUrl: string | undefined
  /** Data directory of the embedded engine. */
  readonly dataDir: string
}

/** Reads the configuration. Throws one usage error that names every problem; never prints a value, which may be a secret. */
export function readConfig(env: Variables = process.env): Config {
  const { CLICKHOUSE_URL, DATA_DIR } = readEnvironment(Environment, ['CLICKHOUSE_URL'], env)
  return { clickhouseUrl: CLICKHOUSE_URL, dataDir: DATA_DIR }
}

/** True when SIDESTEP_DEBUG=1 asks for errors with their stacks. Apart from the rest, because that may be what is not usable. */
export function isDebug(env: Variables = process.env): boolean {
  return env['SIDESTEP_DEBUG'] === '1'
}
