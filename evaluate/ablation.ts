/** What a detector without one of its parts does on the very world that the whole one was scored on. Pure. */
import { z } from 'zod'
import type { Scorecard } from './score.ts'
import { sum } from './statistics.ts'

/** Left out in the row of the whole detector, which the others are compared with. */
export const NOTHING = 'nothing'

export const Ablation = z.object({
  without: z.string().describe('The part that was left out; nothing in the row of the whole detector.'),
  violations: z.int(),
  found: z.int(),
  lost: z.int().describe('Violations that only the whole detector finds.'),
  gained: z.int().describe('Violations that are found only without the part.'),
  false_findings: z.int(),
  benign_apps_named: z.int(),
})
export type Ablation = z.infer<typeof Ablation>

export function ablationOf(without: string, whole: Scorecard, card: Scorecard): Ablation {
  const missedByWhole = new Set(whole.missed_ids)
  const missed = new Set(card.missed_ids)
  return {
    without,
    violations: card.found.total,
    found: card.found.count,
    lost: missed.difference(missedByWhole).size,
    gained: missedByWhole.difference(missed).size,
    false_findings: card.false_findings.length,
    benign_apps_named: card.innocent_apps_accused.count,
  }
}

/** One row a part, over all worlds together. */
export function sumAblations(ablations: readonly Ablation[]): Ablation[] {
  return [...Map.groupBy(ablations, ({ without }) => without)].map(([without, worlds]) => ({
    without,
    violations: sum(worlds.map(({ violations }) => violations)),
    found: sum(worlds.map(({ found }) => found)),
    lost: sum(worlds.map(({ lost }) => lost)),
    gained: sum(worlds.map(({ gained }) => gained)),
    false_findings: sum(worlds.map(({ false_findings }) => false_findings)),
    benign_apps_named: sum(worlds.map(({ benign_apps_named }) => benign_apps_named)),
  }))
}
