import type { Candidates } from '../clusters/candidates.ts'
import type { Judged } from '../judgement/verdicts.ts'
import type { Tuning } from '../tuning.ts'
export type Violation = Judged
export function violationOf(judged: Judged, _candidates: Candidates, _tuning: Tuning): Violation | undefined {
  return judged.verdict.kind === 'violation' ? judged : undefined
}
