/**
 * What a simulation really contains (truth.json): the answer that `evaluate` scores findings against.
 *
 * An app that no group lists is independent: it must never be in a finding.
 */
import { z } from 'zod'
import { PolicyCode } from './finding.ts'

export const TruthGroup = z.object({
  id: z.string(),
  scenario: z.string().describe('Which generator made it, e.g. round_robin_single_owner or campus_tutorial.'),
  kind: z
    .enum(['violation', 'exempt', 'lookalike'])
    .describe(
      'violation: must be found; exempt: compliant dev/staging/prod; lookalike: innocent, resembles a violation.',
    ),
  strength: z.enum(['weak', 'medium', 'strong']).optional().describe('How openly a violation shows itself.'),
  policy: z.array(PolicyCode).describe('Acceptable policy codes; empty unless kind is violation.'),
  apps: z.array(z.string()).min(1),
  victims: z
    .array(z.string())
    .optional()
    .describe('Apps that were framed, or whose keys were stolen: no finding may name them as operators.'),
  evident_at: z
    .string()
    .optional()
    .describe('RFC 3339: when the evidence first sufficed, where the generator knows it; for the time to detection.'),
  held_out: z.boolean().optional().describe('Not used while tuning.'),
})
export type TruthGroup = z.infer<typeof TruthGroup>

export const Truth = z.object({
  seed: z.int(),
  world: z.string().optional().describe('Which kind of world was drawn: tidy, hard or benign.'),
  from: z.string().describe('RFC 3339, start of the traffic.'),
  to: z.string().describe('RFC 3339, end of the traffic (exclusive).'),
  apps: z.int(),
  requests: z.int(),
  groups: z.array(TruthGroup),
})
export type Truth = z.infer<typeof Truth>
