/** Whether Kafka and ClickHouse answer: one log line and one metric for each change, however often it is tried. */
import type { Logger } from 'pino'

import type { Metrics } from './metrics.ts'

export type Side = 'kafka' | 'clickhouse'

export interface Reachability {
  /** Told after every try. `problem`: what is wrong; undefined when the other side answered. */
  report(side: Side, problem: string | undefined): void
  isUp(side: Side): boolean
}

const HINTS: Readonly<Record<Side, string>> = {
  kafka: 'Kafka is away; retrying until it is back (check KAFKA_BROKERS and the broker)',
  clickhouse:
    'ClickHouse is away; retrying until it is back, records wait in Kafka (check CLICKHOUSE_URL and the server)',
}

export function createReachability(log: Logger, metrics: Metrics, steadyMs: () => number): Reachability {
  const downSinceMs = new Map<Side, number>()
  const up = new Set<Side>()
  return {
    report(side, problem) {
      const since = downSinceMs.get(side)
      if (problem === undefined) {
        if (up.has(side)) return
        up.add(side)
        metrics.up.set({ side }, 1)
        downSinceMs.delete(side)
        const seconds = since === undefined ? 0 : Math.round((steadyMs() - since) / 1000)
        log.info(
          { event: 'ingest.reached', side, seconds },
          since === undefined ? 'the other side answers' : 'the other side is back',
        )
        return
      }
      if (since !== undefined) return
      up.delete(side)
      metrics.up.set({ side }, 0)
      downSinceMs.set(side, steadyMs())
      log.warn({ event: 'ingest.unreachable', side, problem }, HINTS[side])
    },
    isUp: (side) => up.has(side),
  }
}
