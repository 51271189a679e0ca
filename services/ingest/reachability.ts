/** Whether Kafka and ClickHouse answer: one log line and one metric for each change, however often it is tried. */
import type { Logger } from 'pino'

import type { Metrics } from './metrics.ts'

export type Side = 'kafka' | 'clickhouse'

export interface Links {
  /** Told after every try. `problem`: what is wrong; undefined when the other side answered. */
  note(of: Side, problem: string | undefined): void
  isUp(of: Side): boolean
}

const HINTS: Readonly<Record<Side, string>> = {
  kafka: 'Kafka is away; retrying until it is back (check KAFKA_BROKERS and the broker)',
  clickhouse:
    'ClickHouse is away; retrying until it is back, records wait in Kafka (check CLICKHOUSE_URL and the server)',
}

export function createLinks(log: Logger, metrics: Metrics, now: () => number): Links {
  const downSinceMs = new Map<Side, number>()
  const up = new Set<Side>()
  return {
    note(of, problem) {
      const since = downSinceMs.get(of)
      if (problem === undefined) {
        if (up.has(of)) return
        up.add(of)
        metrics.up.set({ of }, 1)
        downSinceMs.delete(of)
        const seconds = since === undefined ? 0 : Math.round((now() - since) / 1000)
        log.info(
          { event: 'ingest.link_up', of, seconds },
          since === undefined ? 'the other side answers' : 'the other side is back',
        )
        return
      }
      if (since !== undefined) return
      up.delete(of)
      metrics.up.set({ of }, 0)
      downSinceMs.set(of, now())
      log.warn({ event: 'ingest.link_down', of, problem }, HINTS[of])
    },
    isUp: (of) => up.has(of),
  }
}
