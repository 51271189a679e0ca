/** Builds the finding of a cluster: a CloudEvent with an OCSF Detection Finding (schemas/finding.ts). Pure. */
import { createHash } from 'node:crypto'
import { EvidenceFamily, type Finding, type PolicyCode } from '#schemas/finding.ts'
import { printable } from '#lib/printable.ts'
import type { Gain } from '../judgement/materiality.ts'
import { tuningHash, type Tuning } from '../tuning.ts'
import type { Window } from '../run/window.ts'
import { reproduction } from './reproduction.ts'
import type { AccusedApp, Violation } from './violation.ts'
import { accounts } from './words.ts'

export const PRODUCT_VERSION = '0.1.0'
const OCSF_VERSION = '1.3.0'

/** Identity and revision of a finding, decided by the lifecycle (lifecycle.ts). */
export interface Identity {
  readonly uid: string
  readonly revision: number
}

const TITLES: Readonly<Record<PolicyCode, string>> = {
  duplicate_apps_single_owner: 'Several applications of one account act as one',
  duplicate_apps_multiple_owners: 'Applications of several accounts act as one',
  service_sharded_across_apps: 'One service spreads its users over several applications',
  end_user_supplied_keys: "End users' own keys are driven from one place",
  environment_exemption_misuse: 'Applications claim to be dev, staging and production and are not',
}

export function buildFinding(
  violation: Violation,
  identity: Identity,
  window: Window,
  nowMs: number,
  tuning: Tuning,
): Finding {
  const { cluster, policies, gain } = violation
  const [primary = 'duplicate_apps_single_owner'] = policies
  const opened = identity.revision === 1
  const activity = opened ? 1 : 2
  // Rounded down: no finding is certain.
  const confidence = Math.floor(cluster.probability * 100)
  return {
    specversion: '1.0',
    id: `${identity.uid}:${identity.revision}`,
    source: '/sidestep/analyzer',
    subject: `cluster/${identity.uid}`,
    type: opened ? 'dev.sidestep.finding.opened.v1' : 'dev.sidestep.finding.updated.v1',
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
    data: {
      class_uid: 2004,
      category_uid: 2,
      activity_id: activity,
      type_uid: 200_400 + activity,
      time: nowMs,
      message: sentence(violation, primary),
      severity_id: severity(gain),
      confidence_score: confidence,
      risk_score: Math.min(100, Math.round(confidence * riskFactor(gain))),
      finding_info: { uid: identity.uid, title: title(violation, primary), types: [...policies] },
      metadata: {
        product: { name: 'sidestep', vendor_name: 'sidestep', version: PRODUCT_VERSION },
        version: OCSF_VERSION,
      },
      resources: resources(violation),
      evidences: violation.evidence.map((data) => ({ data })),
      unmapped: unmapped(violation, identity.revision, window, tuning),
    },
  }
}

function resource(app: AccusedApp, probability: number): Finding['data']['resources'][number] {
  return {
    type: 'application',
    uid: app.app_id,
    name: app.name,
    owner: { uid: app.owner_id },
    data: { probability: round(probability, 4), requests: app.requests, throttled: app.throttled },
  }
}

const ADVICE =
  'Not accused: this key is used, or imitated, by somebody else. Tell its owner, give the app a new key, and withdraw the old one.'

function resources({ cluster, apps, victims }: Violation): Finding['data']['resources'] {
  const accused = apps.map((app) => resource(app, cluster.memberProbability.get(app.app_id) ?? cluster.probability))
  const framed = victims.map((app) => {
    const known = resource(app, 0)
    return { ...known, data: { ...known.data, role: 'victim' as const, advice: ADVICE } }
  })
  return [...accused, ...framed]
}

function unmapped(violation: Violation, revision: number, window: Window, tuning: Tuning): Finding['data']['unmapped'] {
  const { cluster, exemption, gain, probabilityWithout } = violation
  const without = { ...probabilityWithout }
  for (const family of EvidenceFamily.options) without[family] = round(without[family], 4)
  return {
    gain: gain.value === null ? null : round(gain.value, 2),
    gain_basis: printable(gain.basis),
    mode: violation.mode,
    window: { from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString() },
    exemption: { claimed: exemption.claimed, failed_conditions: [...exemption.failures] },
    innocent_explanations: [...violation.explanations],
    shared_networks: [...violation.networks],
    probability_without_best_family: round(Math.min(cluster.probability, ...Object.values(probabilityWithout)), 4),
    probability_without: without,
    ledgers: [...violation.ledgers],
    hand_overs: [...violation.handOvers],
    closes_when: [...violation.closesWhen],
    reproduce: reproduction(violation, window, tuning),
    revision,
    tuning_hash: tuningHash(tuning),
    recommended_action: 'review',
  }
}

/** Nobody is said to be several, or one, whose account is not known. */
function title({ apps }: Violation, primary: PolicyCode): string {
  const unknown = apps.some((app) => app.owner_id === '')
  const known = new Set(apps.map((app) => app.owner_id).filter((owner) => owner !== '')).size
  return primary === 'duplicate_apps_multiple_owners' && unknown && known < 2
    ? 'Applications of accounts that are not known act as one'
    : TITLES[primary]
}

function sentence(violation: Violation, primary: PolicyCode): string {
  const { apps, victims, gain } = violation
  const use =
    gain.value === null
      ? ''
      : `; together they used ${gain.value.toFixed(1)} times what one app may (${printable(gain.basis)})`
  const framed =
    victims.length === 0
      ? ''
      : ` ${victims.length === 1 ? 'One more app was' : `${victims.length} more apps were`} drawn in as victim and need${victims.length === 1 ? 's' : ''} a new key.`
  return `${title(violation, primary)}: ${apps.length} applications of ${accounts(apps.map((app) => app.owner_id))}${use}.${framed}`
}

/** OCSF severity: 2 low, 3 medium, 4 high. Materiality only: 4 above twice one app's limit, 2 when one app could have done it. */
function severity({ value }: Gain): number {
  if (value === null) return 3
  if (value >= 2) return 4
  return value > 1 ? 3 : 2
}

function riskFactor({ value }: Gain): number {
  return value === null ? 0.7 : Math.min(1, 0.4 + 0.2 * value)
}

const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits

/** SHA-256 over what makes a new revision: who, which rules, how sure (in steps of 5 %), which exemption conditions. */
export function findingDigest({ cluster, apps, victims, policies, exemption }: Violation): string {
  const content = {
    apps: cluster.apps,
    victims: victims.map((app) => app.app_id).toSorted(),
    owners: [...new Set(apps.map((app) => app.owner_id).filter((owner) => owner !== ''))].toSorted(),
    policies,
    probability: Math.round(cluster.probability * 20),
    exemption: exemption.failures,
  }
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

/** Id of a cluster that was never seen before: from its members, so that the same data gives the same id. */
export function newFindingUid(apps: readonly string[]): string {
  return `sf-${createHash('sha256').update(apps.join('\0')).digest('hex').slice(0, 12)}`
}
