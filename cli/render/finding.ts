/** One finding in full, as it can be told to the one accused: who, what was observed, what chance gives, what else was tested, how to check. Pure. */
import Table from 'cli-table3'
import { printable } from '#lib/printable.ts'
import type { Evidence, Finding, FindingResource, HandOverExample, Question } from '#schemas/finding.ts'
import { PLAIN_TABLE, tableText, wrapped } from './lines.ts'
import { evidenceLines, ledgerLines } from './waterfall.ts'

type FindingData = Finding['data']

const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...lines])

const isVictim = (app: FindingResource): boolean => app.data.role === 'victim'

/** `width` in columns. The text ends without a line end. */
export function renderFinding({ data }: Finding, width: number): string {
  const { unmapped } = data
  return [
    ...wrapped('', `${data.finding_info.uid}, revision ${unmapped.revision}: ${data.message}`, width),
    `probability ${data.confidence_score} %, ${data.finding_info.types.join(', ')}; works as: ${unmapped.mode.replaceAll('_', ' ')}; recommended: ${unmapped.recommended_action}`,
    `window ${printable(unmapped.window.from)} to ${printable(unmapped.window.to)}, tuning ${printable(unmapped.tuning_hash)}`,
    ...section('Applications', [appsTable(data.resources.filter((app) => !isVictim(app)))]),
    ...section('Victims, not accused', victimLines(data.resources.filter(isVictim), width)),
    '',
    'Evidence: 1 bit makes a thing twice as likely, 10 bits a thousand times',
    ...evidenceSections(data, width),
    ...section('Hand-overs in time, some of them', handOverLines(unmapped.hand_overs ?? [])),
    ...section('How much hangs on one kind of evidence', hangingLines(data)),
    ...section(
      'Innocent explanations',
      unmapped.innocent_explanations.flatMap((item) =>
        wrapped(`  ${item.ruled_out ? 'ruled out' : 'OPEN     '}  `, `${item.explanation}: ${item.statement}`, width),
      ),
    ),
    ...section(
      'It closes when',
      (unmapped.closes_when ?? []).flatMap((text) => wrapped('  - ', text, width)),
    ),
    ...section('Networks in common', networkLines(data)),
    ...section('To see it again', reproductionLines(data, width)),
  ].join('\n')
}

function appsTable(apps: readonly FindingResource[]): string {
  const table = new Table({ ...PLAIN_TABLE, head: ['  app', 'owner', 'name', 'requests', '429', 'prob.'] })
  for (const app of apps) {
    table.push([
      `  ${printable(app.uid)}`,
      app.owner.uid === '' ? '(not known)' : printable(app.owner.uid),
      printable(app.name),
      String(app.data.requests),
      String(app.data.throttled),
      `${Math.floor(app.data.probability * 100)} %`,
    ])
  }
  return tableText(table)
}

function victimLines(apps: readonly FindingResource[], width: number): string[] {
  return apps.flatMap((app) => {
    const owner = app.owner.uid === '' ? 'an owner that is not known' : `owner ${app.owner.uid}`
    return wrapped('  ', `${app.uid} of ${owner}: ${app.data.advice ?? 'needs a new key'}`, width)
  })
}

const BESIDE: readonly (readonly [Question, string])[] = [
  ['group', 'Alike, and unlike who is beside them?'],
  ['one_hand', 'Driven by one hand?'],
  ['limits', "More than one app's limit?"],
]

function evidenceSections(data: FindingData, width: number): string[] {
  const evidence = data.evidences.map((one) => one.data)
  const of = (question: Question | undefined): Evidence[] => evidence.filter((item) => item.question === question)
  const lines = (items: readonly Evidence[]): string[] => items.flatMap((item) => evidenceLines(item, width))
  return [
    ...lines(of(undefined)),
    ...BESIDE.slice(0, 1).flatMap(([question, title]) => section(title, lines(of(question)))),
    ...(data.unmapped.ledgers ?? []).flatMap((ledger) => section('', ledgerLines(ledger, evidence, width)).slice(1)),
    ...BESIDE.slice(1).flatMap(([question, title]) => section(title, lines(of(question)))),
  ]
}

function handOverLines(examples: readonly HandOverExample[]): string[] {
  return examples.map(({ at, from, to, gap_seconds: gap }) => {
    const after = gap < 0 ? `${-gap} s before it fell silent` : `${gap} s later`
    return `  ${printable(at)}  ${printable(from)} falls silent, ${printable(to)} begins ${after}`
  })
}

function hangingLines({ unmapped }: FindingData): string[] {
  const parts = Object.entries(unmapped.probability_without ?? {})
  if (parts.length === 0)
    return [`  without the strongest kind ${Math.floor(unmapped.probability_without_best_family * 100)} %`]
  return parts.map(
    ([family, probability]) => `  without ${family.padEnd(10)} ${Math.floor((probability ?? 0) * 100)} %`,
  )
}

function networkLines({ unmapped }: FindingData): string[] {
  return unmapped.shared_networks.map(
    (item) =>
      `  ${printable(item.network).padEnd(24)} ${item.cluster_apps} of these apps, ${item.apps} in all (${printable(item.class)}), ` +
      `${(item.share * 100).toFixed(1)} % of their traffic`,
  )
}

/** Long lists of parameters are cut; the event holds them whole. */
const PARAMETER_MAX = 70

function reproductionLines({ unmapped }: FindingData, width: number): string[] {
  return (unmapped.reproduce ?? []).flatMap(({ query, parameters }) => {
    const words = Object.entries(parameters).map(([name, value]) => {
      const text = printable(JSON.stringify(value))
      return `${name} = ${text.length > PARAMETER_MAX ? `${text.slice(0, PARAMETER_MAX)}… (whole in the event: --json)` : text}`
    })
    return wrapped('  ', `${query} with ${words.join(', ')}`, width)
  })
}
