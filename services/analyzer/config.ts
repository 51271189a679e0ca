/** Configuration of the analyzer service, from environment variables: one schema, read once, all problems reported at once. */
import { z } from 'zod'
import { readEnvironment, SERVICE_VARIABLES, whole, type Variables } from '#lib/env.ts'

const Environment = z.object({
  ...SERVICE_VARIABLES,
  ANALYZE_EVERY_SECONDS: whole(1, 86_400, 300),
  WINDOW_HOURS: whole(1, 24 * 400, 24),
  HTTP_PORT: whole(0, 65_535, 8081),
})

export interface AnalyzerConfig {
  readonly clickhouseUrl: string | undefined
  readonly dataDir: string
  readonly everySeconds: number
  readonly windowHours: number
  readonly httpHost: string
  /** 0: any free port, which the log tells. */
  readonly httpPort: number
  readonly logLevel: z.infer<typeof Environment>['LOG_LEVEL']
}

/** Reads the configuration. Throws one usage error that names every problem. */
export function readAnalyzerConfig(variables: Variables = process.env): AnalyzerConfig {
  const env = readEnvironment(Environment, ['CLICKHOUSE_URL'], variables)
  return {
    clickhouseUrl: env.CLICKHOUSE_URL,
    dataDir: env.DATA_DIR,
    everySeconds: env.ANALYZE_EVERY_SECONDS,
    windowHours: env.WINDOW_HOURS,
    httpHost: env.HTTP_HOST,
    httpPort: env.HTTP_PORT,
    logLevel: env.LOG_LEVEL,
  }
}
