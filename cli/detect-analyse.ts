/** The second half of `sidestep detect`: from a filled database to printed and written findings. */
import { writeFile } from 'node:fs/promises'

import { errorMessage, SidestepError } from '#lib/errors.ts'
import type { Finding } from '#schemas/finding.ts'

import type { Analysis } from '../services/analyzer/analyse.ts'
import { analyseAll } from './analysis.ts'
import type { AnalyseInput } from './commands/detect.ts'
import { renderFindings } from './render/findings-table.ts'

export async function analyseAndShow({ clickhouse, signal, out, json }: AnalyseInput): Promise<void> {
  const startedAt = performance.now()
  const isTerminal = process.stderr.isTTY
  const analysis = await analyseAll(clickhouse, Date.now(), (step) => {
    if (isTerminal) process.stderr.write(`\r\u001B[K${step} …`)
  })
  if (isTerminal) process.stderr.write('\r\u001B[K')
  if (signal.aborted) return
  if (out !== undefined) await writeFindings(out, analysis.findings)
  const seconds = (performance.now() - startedAt) / 1000
  process.stderr.write(`${summary(analysis, seconds)}\n`)
  process.stdout.write(json ? ndjson(analysis.findings) : table(analysis, out))
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

function summary(analysis: Analysis, seconds: number): string {
  const pairs = [...analysis.pairsByRule].filter(([rule]) => rule !== 'control').toSorted(([, x], [, y]) => y - x)
  const rules = pairs.map(([rule, count]) => `${rule.replaceAll('_', ' ')} ${count.toLocaleString('en-US')}`)
  return `compared ${plural(analysis.apps, 'app')} in ${seconds.toFixed(1)} s; pairs proposed by ${rules.join(', ') || 'no rule'}`
}

function table(analysis: Analysis, out: string | undefined): string {
  const { findings, exempt, innocent } = analysis
  const lines = findings.length === 0 ? [] : ['', renderFindings(findings, process.stdout.columns ?? 120)]
  lines.push('', plural(findings.length, 'finding') + (out === undefined ? '' : `, written to ${out}`))
  if (exempt.length > 0)
    lines.push(`${plural(exempt.length, 'group')} of development, staging and production apps, exempt`)
  if (innocent.length > 0) lines.push(`${plural(innocent.length, 'group')} with an innocent explanation, not reported`)
  return `${lines.join('\n')}\n`
}
