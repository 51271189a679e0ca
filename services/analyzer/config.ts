/** Configuration of the analyzer service, from environment variables: one schema, read once, all problems reported at once. */
import { z } from 'zod'
import { readEnvironment, type Variables } from '#lib/env.ts'

function whole(low: number, high: number, fallback: number) {
  return z.coerce
    .number()
    .int()
    .refine((value) => value >= low && value <= high, `must be a whole number from ${low} to ${high}`)
    .default(fallback)
}

const Environment = z.object({
  CLICKHOUSE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL, e.g. http://user:password@host:8123/sidestep' })
    .optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  ANALYZE_EVERY_SECONDS: whole(1, 86_400, 300),
  WINDOW_HOURS: whole(1, 24 * 400, 24),
  HTTP_HOST: z.string().min(1).default('0.0.0.0'),
  HTTP_PORT: whole(0, 65_535, 8081),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
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
