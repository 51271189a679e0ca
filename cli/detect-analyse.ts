/** The second half of `sidestep detect`: from a filled database to printed and written findings. */
import { writeFile } from 'node:fs/promises'

import { errorMessage, SidestepError } from '#lib/errors.ts'
import type { Finding } from '#schemas/finding.ts'

import type { Cycle } from '../services/analyzer/cycles.ts'
import { analyseAll } from './analysis.ts'
import type { DetectInput } from './detect-ingest.ts'
import { DEFAULT_WIDTH } from './render/lines.ts'
import { renderFindings } from './render/findings-table.ts'

export interface ShowInput extends Pick<DetectInput, 'clickhouse' | 'signal'> {
  readonly out: string | undefined
  readonly json: boolean
}

export async function analyseAndShow({ clickhouse, signal, out, json }: ShowInput): Promise<void> {
  const startedAt = performance.now()
  const isTerminal = process.stderr.isTTY
  const cycle = await analyseAll(clickhouse, Date.now(), (step) => {
    if (isTerminal) process.stderr.write(`\r\u001B[K${step} …`)
  })
  if (isTerminal) process.stderr.write('\r\u001B[K')
  if (signal.aborted) return
  if (out !== undefined) await writeFindings(out, cycle.findings)
  const seconds = (performance.now() - startedAt) / 1000
  for (const line of summary(cycle, seconds)) process.stderr.write(`${line}\n`)
  process.stdout.write(json ? ndjson(cycle.findings) : table(cycle, out))
}

async function writeFindings(out: string, findings: readonly Finding[]): Promise<void> {
  try {
    await writeFile(out, ndjson(findings))
  } catch (error) {
    throw new SidestepError('usage', `cannot write the findings: ${errorMessage(error)}`, { cause: error })
  }
}

const ndjson = (findings: readonly Finding[]): string =>
  findings.map((finding) => `${JSON.stringify(finding)}\n`).join('')

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`

function summary({ apps, streams, groups, pairs, pairsByRule, cappedRules }: Cycle, seconds: number): string[] {
  const rules = [...pairsByRule]
    .filter(([, count]) => count > 0)
    .toSorted(([, x], [, y]) => y - x)
    .map(([rule, count]) => `${rule.replaceAll('_', ' ')} ${count.toLocaleString('en-US')}`)
  const capped = [...cappedRules].map(
    ([rule, count]) =>
      `warning: ${rule.replaceAll('_', ' ')} proposed ${plural(count, 'pair')}, of which the strongest ${(pairsByRule.get(rule) ?? 0).toLocaleString('en-US')} were compared`,
  )
  const counts = [plural(apps, 'app'), plural(streams, 'stream'), plural(groups, 'group'), plural(pairs, 'pair')]
  return [
    `compared ${counts.join(', ')} in ${seconds.toFixed(1)} s; pairs proposed by ${rules.join(', ') || 'no rule'}`,
    ...capped,
  ]
}

function table({ findings, exempt, innocent }: Cycle, out: string | undefined): string {
  const lines = findings.length === 0 ? [] : ['', renderFindings(findings, process.stdout.columns ?? DEFAULT_WIDTH)]
  lines.push('', plural(findings.length, 'finding') + (out === undefined ? '' : `, written to ${out}`))
  if (exempt.length > 0)
    lines.push(`${plural(exempt.length, 'group')} of development, staging and production apps, exempt`)
  if (innocent.length > 0) lines.push(`${plural(innocent.length, 'group')} with an innocent explanation, not reported`)
  return `${lines.join('\n')}\n`
}
