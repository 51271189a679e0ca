/** Pairs of apps: who is compared with whom, and under which key. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { RunParams } from './window.ts'

/** `a` and `b` in code-unit order joined by a NUL, which no app id can hold. */
export type PairKey = string

export interface Pair {
  readonly key: PairKey
  readonly a: string
  readonly b: string
  /** Blocking rules that proposed it; `control` for a random activity-matched pair. */
  readonly rules: readonly string[]
}

export const pairKey = (a: string, b: string): PairKey => (a < b ? `${a}\0${b}` : `${b}\0${a}`)

const pairsQuery = {
  name: 'run/pairs',
  params: RunParams,
  row: z.object({ app_a: z.string(), app_b: z.string(), rules: z.array(z.string()) }),
} as const

export async function readPairs(clickhouse: ClickHouse, runId: string): Promise<Pair[]> {
  const rows = await clickhouse.query(pairsQuery, { run_id: runId })
  return rows.map((row) => ({ key: pairKey(row.app_a, row.app_b), a: row.app_a, b: row.app_b, rules: row.rules }))
}

/** A pair that a rule proposed (it may be a control pair too). */
export const isCandidate = (pair: Pair): boolean => pair.rules.some((rule) => rule !== 'control')
export const isControl = (pair: Pair): boolean => pair.rules.includes('control')
