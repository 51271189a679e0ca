/**
 * A finding: a CloudEvents 1.0 structured event whose `data` is an OCSF Detection Finding (class_uid 2004).
 *
 * The unit of a finding is a cluster of applications believed to be one use case. `data.finding_info.uid` is stable while the
 * cluster lives; `id` is `<uid>:<revision>`, so a consumer that sees the same revision twice stays idempotent.
 */
import { z } from 'zod'

/** Policy codes, strongest first; rule numbers refer to docs/policy.md. */
export const PolicyCode = z.enum([
  'duplicate_apps_single_owner',
  'duplicate_apps_multiple_owners',
  'service_sharded_across_apps',
  'end_user_supplied_keys',
  'environment_exemption_misuse',
])
export type PolicyCode = z.infer<typeof PolicyCode>

/** Why a claimed development/staging/production exemption (P6) does not hold. */
export const ExemptionFailure = z.enum([
  'more_than_three_apps',
  'more_than_one_owner',
  'environment_missing_from_name',
  'environment_missing_from_description',
  'environment_claimed_twice',
  'non_production_carries_production_load',
])
export type ExemptionFailure = z.infer<typeof ExemptionFailure>

export const EvidenceFamily = z.enum(['network', 'users', 'behaviour', 'timing', 'registry'])
export type EvidenceFamily = z.infer<typeof EvidenceFamily>

/** The two questions that every link answers, and what a cluster is asked beside them. */
export const Question = z.enum(['one_operator', 'one_use_case', 'group', 'one_hand', 'limits'])
export type Question = z.infer<typeof Question>

export const Evidence = z.object({
  signal: z.string(),
  family: EvidenceFamily,
  observed: z.number().describe('The measured effect, in the unit that `unit` names.'),
  expected: z.number().nullable().describe('What the null model gives, same unit.'),
  unit: z.string(),
  p: z.number().min(0).max(1).nullable().describe('Probability of at least this effect under the null.'),
  bits: z.number().describe('log2(m/u): how far this moves the odds.'),
  statement: z.string().describe('The evidence in words.'),
  query: z.string().describe('File under sql/queries that shows it.'),
  question: Question.optional().describe(
    'What it answers: one operator, one use case (both: bits of the middle pair), group (alike at one place, against the others there), ' +
      'one_hand (proof that the apps are driven together; bits 0 where it moves no odds), limits (materiality; bits 0).',
  ),
})
export type Evidence = z.infer<typeof Evidence>

export const InnocentExplanation = z.object({
  explanation: z.string(),
  ruled_out: z.boolean(),
  statement: z.string(),
})
export type InnocentExplanation = z.infer<typeof InnocentExplanation>

/** One of the two ledgers of the middle pair: prior + bits of its evidence = total. */
export const Ledger = z.object({
  question: z.enum(['one_operator', 'one_use_case']),
  apps: z
    .array(z.string())
    .describe(
      'The pair whose evidence is shown: the middle one of the linked pairs, or of all pairs of a group found as a whole.',
    ),
  prior_bits: z.number().describe('log2 odds before any evidence.'),
  total_bits: z.number().describe('log2 odds after it.'),
  is_linked: z.boolean().describe('Whether the pair was linked by itself.'),
})
export type Ledger = z.infer<typeof Ledger>

/** One hand-over in time: a spell of one app ends and a spell of another begins. */
export const HandOverExample = z.object({
  at: z.string().describe('When the first fell silent, RFC 3339.'),
  from: z.string(),
  to: z.string(),
  gap_seconds: z
    .number()
    .describe('From the end of the one to the beginning of the other; negative when they overlap.'),
})
export type HandOverExample = z.infer<typeof HandOverExample>

/** A query of sql/queries with the parameters that show the evidence again. */
export const Reproduction = z.object({
  query: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string()), z.array(z.number())])),
})
export type Reproduction = z.infer<typeof Reproduction>

export const FindingResource = z.object({
  type: z.literal('application'),
  uid: z.string(),
  name: z.string(),
  owner: z.object({ uid: z.string() }),
  data: z.object({
    probability: z.number().min(0).max(1),
    requests: z.int().min(0),
    throttled: z.int().min(0),
    role: z
      .enum(['operator', 'victim'])
      .optional()
      .describe(
        'victim: framed, or its key was stolen; it is not accused and needs a new key. Absent: operator, which is accused.',
      ),
    advice: z.string().optional().describe('What is to be done for a victim.'),
  }),
})
export type FindingResource = z.infer<typeof FindingResource>

export const DetectionFinding = z.object({
  class_uid: z.literal(2004),
  category_uid: z.literal(2),
  activity_id: z.int().describe('OCSF: 1 create, 2 update, 3 close.'),
  type_uid: z.int().describe('OCSF: class_uid * 100 + activity_id.'),
  time: z.int().describe('Epoch milliseconds.'),
  message: z.string(),
  severity_id: z.int().min(0).max(6),
  confidence_score: z.int().min(0).max(100),
  risk_score: z.int().min(0).max(100),
  finding_info: z.object({ uid: z.string(), title: z.string(), types: z.array(PolicyCode).min(1) }),
  metadata: z.object({
    product: z.object({ name: z.literal('sidestep'), vendor_name: z.literal('sidestep'), version: z.string() }),
    version: z.string().describe('OCSF schema version.'),
  }),
  resources: z.array(FindingResource).min(2),
  evidences: z.array(z.object({ data: Evidence })),
  unmapped: z.object({
    gain: z.number().nullable().describe('Peak use of the cluster in one limit window / what one app may use.'),
    gain_basis: z.string(),
    mode: z.enum(['unknown', 'round_robin', 'random', 'failover', 'time_slice', 'sticky']),
    window: z.object({ from: z.string(), to: z.string() }),
    exemption: z.object({ claimed: z.boolean(), failed_conditions: z.array(ExemptionFailure) }),
    innocent_explanations: z.array(InnocentExplanation),
    shared_networks: z.array(
      z.object({ network: z.string(), apps: z.int(), cluster_apps: z.int(), class: z.string(), share: z.number() }),
    ),
    probability_without_best_family: z.number().min(0).max(1),
    probability_without: z
      .partialRecord(EvidenceFamily, z.number().min(0).max(1))
      .optional()
      .describe('The probability when all evidence of one family is left out: how much hangs on it.'),
    ledgers: z.array(Ledger).optional().describe('Absent or empty when no pair of members was looked at by itself.'),
    hand_overs: z.array(HandOverExample).optional().describe('Examples, in the order of time.'),
    closes_when: z.array(z.string()).optional().describe('What would make the finding close, in words.'),
    reproduce: z.array(Reproduction).optional(),
    revision: z.int().min(1),
    tuning_hash: z.string(),
    recommended_action: z.enum(['review']),
  }),
})
export type DetectionFinding = z.infer<typeof DetectionFinding>

export const Finding = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().describe('<finding uid>:<revision>'),
    source: z.literal('/sidestep/analyzer'),
    subject: z.string().describe('cluster/<id>'),
    type: z.enum([
      'dev.sidestep.finding.opened.v1',
      'dev.sidestep.finding.updated.v1',
      'dev.sidestep.finding.closed.v1',
    ]),
    time: z.string(),
    datacontenttype: z.literal('application/json'),
    data: DetectionFinding,
  })
  .meta({ id: 'Finding', title: 'sidestep finding, v1' })
export type Finding = z.infer<typeof Finding>
