/** The analyzer service: wiring only. */
import { randomUUID } from 'node:crypto'

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Logger } from 'pino'

import { openClickHouse } from '#lib/clickhouse.ts'
import { migrate } from '#lib/migrate.ts'
import { startStatusServer } from '#lib/status-server.ts'
import type { AnalyzerConfig } from './config.ts'
import { runAnalyzer } from './cycles.ts'

interface Metrics {
  readonly registry: Registry
  readonly cycles: Counter<'result'>
  readonly cycleSeconds: Histogram
  readonly findings: Gauge
}

const name = (what: string): string => `sidestep_analyzer_${what}`

function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    cycles: new Counter({ name: name('cycles_total'), help: 'Analyses', labelNames: ['result'], registers }),
    cycleSeconds: new Histogram({
      name: name('cycle_seconds'),
      help: 'Time of one analysis',
      buckets: [1, 3, 10, 30, 60, 300],
      registers,
    }),
    findings: new Gauge({ name: name('open_findings'), help: 'Findings of the last analysis', registers }),
  }
}

/** Runs until `stop`. Throws SidestepError when the store cannot be opened at the start. */
export async function startAnalyzer(config: AnalyzerConfig, log: Logger, stop: AbortSignal): Promise<void> {
  const metrics = createMetrics()
  let lastCycleFailed = true
  const notReady = (): string[] => [
    ...(stop.aborted ? ['stopping'] : []),
    ...(lastCycleFailed ? ['no analysis has succeeded since the last failure'] : []),
  ]
  const clickhouse = await openClickHouse({ url: config.clickhouseUrl, dataDir: config.dataDir })
  try {
    if (clickhouse.kind === 'embedded') await migrate(clickhouse)
    const http = await startStatusServer({
      host: config.httpHost,
      port: config.httpPort,
      registry: metrics.registry,
      notReady,
    })
    log.info({ event: 'analyzer.listening', port: http.port }, 'serving /healthz, /readyz and /metrics')
    try {
      await runAnalyzer({
        clickhouse,
        everySeconds: config.everySeconds,
        windowHours: config.windowHours,
        log,
        now: Date.now,
        newRunId: () => `run-${randomUUID()}`,
        signal: stop,
        onCycle: (succeeded, seconds, findings) => {
          lastCycleFailed = !succeeded
          metrics.cycles.inc({ result: succeeded ? 'succeeded' : 'failed' })
          metrics.cycleSeconds.observe(seconds)
          if (succeeded) metrics.findings.set(findings)
        },
      })
    } finally {
      await http.close()
    }
  } finally {
    await clickhouse.close()
  }
}
