/** `sidestep analyze`: the long-running service that keeps the findings of a store current. */
import { Command } from 'commander'
import { pino } from 'pino'

import { runUntilStopped } from '#lib/shutdown.ts'

import { readAnalyzerConfig } from '../../services/analyzer/config.ts'
import { startAnalyzer } from '../../services/analyzer/main.ts'

const EXAMPLE = `
Example:
  $ CLICKHOUSE_URL=http://default:@localhost:8123/default ANALYZE_EVERY_SECONDS=300 WINDOW_HOURS=24 sidestep analyze

Everything is set by environment variables; what is missing or wrong is reported at once. SIGTERM stops it after the analysis in hand.
`

async function run(): Promise<void> {
  const config = readAnalyzerConfig()
  const log = pino({ level: config.logLevel, base: { service: 'analyzer' } }, pino.destination({ sync: true }))
  const onStop = (signal: NodeJS.Signals): void =>
    log.info({ event: 'analyzer.stopping', signal }, 'stopping after the analysis in hand')
  await runUntilStopped({ onStop }, async (stop) => await startAnalyzer(config, log, stop))
}

export function analyzeCommand(): Command {
  return new Command('analyze')
    .description('Run the service that analyses the stored requests again and again and keeps the findings current.')
    .addHelpText('after', EXAMPLE)
    .action(async () => await run())
}
