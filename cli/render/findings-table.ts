/** Findings as a table that fits a terminal. Pure: events in, text out. */
import Table from 'cli-table3'
import { printable } from '#lib/printable.ts'
import type { Evidence, Finding, PolicyCode } from '#schemas/finding.ts'
import { PLAIN_TABLE, tableText } from './lines.ts'
import { number } from './waterfall.ts'

const POLICY_WORDS: Readonly<Record<PolicyCode, string>> = {
  duplicate_apps_single_owner: 'duplicate apps, one owner',
  duplicate_apps_multiple_owners: 'duplicate apps, many owners',
  service_sharded_across_apps: 'service sharded over apps',
  end_user_supplied_keys: 'end-user supplied keys',
  environment_exemption_misuse: 'dev/staging/prod misuse',
}

const FIXED_WIDTHS = [16, 28, 6, 8, 7, 7] as const

/** The table. `width` in columns, at least 90. */
export function renderFindings(findings: readonly Finding[], width: number): string {
  const fixed = FIXED_WIDTHS.reduce((sum, columns) => sum + columns + 1, 0)
  const table = new Table({
    ...PLAIN_TABLE,
    head: ['finding', 'policy', 'apps', 'owners', 'prob.', 'gain', 'what says so'],
    colWidths: [...FIXED_WIDTHS, Math.max(90, width) - fixed - 1],
  })
  for (const { data } of findings) {
    const accused = data.resources.filter((app) => app.data.role !== 'victim')
    table.push([
      printable(data.finding_info.uid),
      policyWords(data),
      String(accused.length),
      owners(data),
      `${data.confidence_score} %`,
      gainWords(data.unmapped.gain),
      printable(saidBy(data)),
    ])
  }
  return tableText(table)
}

type FindingData = Finding['data']

function knownOwners(data: FindingData): { readonly known: number; readonly isWhole: boolean } {
  const all = data.resources.filter((app) => app.data.role !== 'victim').map((app) => app.owner.uid)
  return { known: new Set(all.filter((owner) => owner !== '')).size, isWhole: !all.includes('') }
}

/** `2+?`: two accounts are known, and some apps' are not. */
function owners(data: FindingData): string {
  const { known, isWhole } = knownOwners(data)
  if (isWhole) return String(known)
  return known === 0 ? '?' : `${known}+?`
}

function policyWords(data: FindingData): string {
  const [primary = 'duplicate_apps_single_owner'] = data.finding_info.types
  const { known, isWhole } = knownOwners(data)
  const isUnknown = primary === 'duplicate_apps_multiple_owners' && !isWhole && known < 2
  return isUnknown ? 'duplicate apps, owners ?' : POLICY_WORDS[primary]
}

const gainWords = (gain: number | null): string => (gain === null ? '?' : `x ${gain.toFixed(1)}`)

/** In a few words, what a signal found. Signals that are not here say nothing that others cannot make. */
const SHORT: Readonly<Record<string, (item: Evidence) => string>> = {
  group: ({ observed }) => `${observed} at one place do the same`,
  place: ({ observed }) => `run at one place (${Math.round(observed * 100)} % of traffic)`,
  users: ({ observed, expected }) => `act for ${observed} of the same users (chance ${number(expected ?? 0)})`,
  hand_over: ({ observed, expected }) => `hand over ${observed} times (chance ${number(expected ?? 0)})`,
  turns: ({ observed, expected }) => `take turns ${observed} times (chance ${number(expected ?? 0)})`,
  even_stagger: () => 'one scheduler drives them',
  one_moment: () => 'one scheduler drives them',
  common_restart: () => 'they begin again together',
  common_fate: () => 'they stop and start together',
  borrowed_keys: () => 'keys used unlike their own lives',
  alternation_order: () => 'requests go from key to key',
  failover: ({ observed }) => `another goes on after a refusal ${observed} times`,
  use_case_mix: ({ observed }) => `call the same routes (${Math.round(observed * 100)} %)`,
  owner: () => 'one account',
  users_spread: () => 'each user through one of them',
}

const SAID_MAX = 3

/** The strongest of what each kind of evidence says; for one operator first. */
function saidBy(data: FindingData): string {
  const items = data.evidences.map((item) => item.data)
  const known = items.filter((item) => SHORT[item.signal] !== undefined)
  if (known.length === 0) return items[0]?.statement ?? 'no evidence is stored'
  const order = Object.keys(SHORT)
  const rank = ({ signal }: Evidence): number => order.indexOf(signal)
  return known
    .toSorted((x, y) => rank(x) - rank(y))
    .slice(0, SAID_MAX)
    .map((item) => SHORT[item.signal]?.(item) ?? '')
    .join('; ')
}
