/** Findings as a table that fits a terminal, and one finding in full. Pure: events in, text out. */
import Table from 'cli-table3'
import type { Evidence, Finding, PolicyCode } from '#schemas/finding.ts'

const POLICY_WORDS: Readonly<Record<PolicyCode, string>> = {
  duplicate_apps_single_owner: 'duplicate apps, one owner',
  duplicate_apps_multiple_owners: 'duplicate apps, many owners',
  service_sharded_across_apps: 'service sharded over apps',
  end_user_supplied_keys: 'end-user supplied keys',
  environment_exemption_misuse: 'dev/staging/prod misuse',
}

const PLAIN = {
  chars: {
    top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
    left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ',
  },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 1 },
  wordWrap: true,
} // prettier-ignore

const FIXED_WIDTHS = [16, 28, 6, 8, 7, 7] as const

/** The table. `width` in columns, at least 90. */
export function renderFindings(findings: readonly Finding[], width: number): string {
  const fixed = FIXED_WIDTHS.reduce((sum, columns) => sum + columns + 1, 0)
  const table = new Table({
    ...PLAIN,
    head: ['finding', 'policy', 'apps', 'owners', 'prob.', 'gain', 'strongest evidence'],
    colWidths: [...FIXED_WIDTHS, Math.max(90, width) - fixed - 1],
  })
  for (const { data } of findings) {
    const [primary = 'duplicate_apps_single_owner'] = data.finding_info.types
    table.push([
      data.finding_info.uid,
      POLICY_WORDS[primary],
      String(data.resources.length),
      String(owners(data)),
      `${data.confidence_score} %`,
      gainWords(data.unmapped.gain),
      strongest(data).statement,
    ])
  }
  return table.toString().replace(/[ \t]+$/gm, '')
}

type FindingData = Finding['data']

const owners = (data: FindingData): number => new Set(data.resources.map((app) => app.owner.uid)).size

const gainWords = (gain: number | null): string => (gain === null ? '?' : `x ${gain.toFixed(1)}`)

const telling = (item: Evidence): number => (item.family === 'registry' ? item.bits - 100 : item.bits)

/** What the apps do says more than how they are registered: registry evidence only when there is no other. */
function strongest(data: FindingData): Evidence {
  const [first] = data.evidences.map((item) => item.data).toSorted((x, y) => telling(y) - telling(x))
  if (first === undefined) throw new Error(`finding ${data.finding_info.uid} has no evidence`)
  return first
}

/** One finding in full: who, what was observed, what chance gives, what else was tested, how to check. */
export function renderFinding(finding: Finding): string {
  const { data } = finding
  const { unmapped } = data
  return [
    `${data.finding_info.uid}, revision ${unmapped.revision}: ${data.message}`,
    `probability ${data.confidence_score} %, ${data.finding_info.types.join(', ')}; recommended: ${unmapped.recommended_action}`,
    `window ${unmapped.window.from} to ${unmapped.window.to}, tuning ${unmapped.tuning_hash}`,
    '',
    'Applications',
    appsTable(data),
    '',
    'Evidence in bits (log2 of how much likelier among apps that are one than among unrelated ones), of each signal the middle pair',
    evidenceTable(data),
    '',
    `Without the strongest kind of evidence the probability would be ${(unmapped.probability_without_best_family * 100).toFixed(0)} %.`,
    '',
    'Innocent explanations tested',
    ...unmapped.innocent_explanations.map(
      (item) => `  ${item.ruled_out ? 'ruled out' : 'OPEN     '}  ${item.explanation}: ${item.statement}`,
    ),
    '',
    'Networks in common',
    ...unmapped.shared_networks.map(
      (item) =>
        `  ${item.network.padEnd(24)} ${item.class}: ${item.cluster_apps} of these apps, ${item.apps} in all, ` +
        `${(item.share * 100).toFixed(1)} % of the traffic`,
    ),
  ].join('\n')
}

function appsTable(data: FindingData): string {
  const table = new Table({ ...PLAIN, head: ['  app', 'owner', 'name', 'requests', '429', 'prob.'] })
  for (const app of data.resources) {
    table.push([
      `  ${app.uid}`,
      app.owner.uid === '' ? '(not in the registry)' : app.owner.uid,
      app.name,
      String(app.data.requests),
      String(app.data.throttled),
      `${Math.floor(app.data.probability * 100)} %`,
    ])
  }
  return table.toString().replace(/[ \t]+$/gm, '')
}

const BAR_BITS = 1

/** The waterfall: each signal's bits as a bar, with observed, expected and p. */
function evidenceTable(data: FindingData): string {
  return data.evidences
    .map(({ data: item }) => {
      const bar = (item.bits < 0 ? '-' : '+').repeat(
        Math.min(12, Math.max(1, Math.round(Math.abs(item.bits) / BAR_BITS))),
      )
      const p = item.p === null ? '' : ` (p = ${item.p.toPrecision(2)})`
      return `  ${item.bits.toFixed(1).padStart(5)} ${bar.padEnd(12)} ${item.family}: ${item.statement}${p}\n${' '.repeat(21)}${item.query}`
    })
    .join('\n')
}
