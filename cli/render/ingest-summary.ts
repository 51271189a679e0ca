/** What an ingest run has to tell, as lines for people. Pure. Names of files and fields, and what a record held, are made harmless. */
import { printable, quoted } from '#lib/printable.ts'
import type { IngestResult } from '../../services/ingest/files/ingest-files.ts'
import type { RegistryResult, Unregistered } from '../../services/ingest/registry/file.ts'

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const UNKNOWN_FIELDS_SHOWN = 8

function number(value: number): string {
  return COUNT.format(value)
}

function largestFirst(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}

function place(problem: { readonly file: string; readonly line?: number }): string {
  const file = problem.file === '-' ? 'standard input' : printable(problem.file)
  return problem.line === undefined ? file : `${file}:${problem.line}`
}

/** Counts of a run, its problems with file and line, and what was ignored. `seconds`: how long it took. */
export function ingestSummary(result: IngestResult, seconds: number): string[] {
  const { read, stored, dead, duplicate } = result
  const lines = [
    `read ${number(read)} records (${number(result.bytes / 1e6)} MB) in ${number(seconds)} s: ${number(stored)} stored, ${number(dead)} dead, ${number(duplicate)} duplicate`,
  ]
  for (const [reason, count] of largestFirst(result.deadByReason)) lines.push(`  dead: ${reason} ${number(count)}`)
  for (const problem of result.problems)
    lines.push(`  ${place(problem)}: ${problem.reason}: ${printable(problem.message)}`)
  const adjusted = largestFirst(result.adjusted).map(([change, count]) => `${printable(change)} (${number(count)})`)
  if (adjusted.length > 0) lines.push(`  adjusted fields: ${adjusted.join(', ')}`)
  const unknown = largestFirst(result.unknownFields)
  if (unknown.length > 0) {
    const shown = unknown.slice(0, UNKNOWN_FIELDS_SHOWN).map(([name, count]) => `${printable(name)} (${number(count)})`)
    const more = unknown.length > shown.length ? `, and ${unknown.length - shown.length} more` : ''
    lines.push(`  ignored fields: ${shown.join(', ')}${more}`)
  }
  return lines
}

/** What came of the registry. */
export function registrySummary(result: RegistryResult): string[] {
  const rejected = result.rejected > 0 ? `, ${number(result.rejected)} entries not used` : ''
  const adjusted = result.adjusted > 0 ? `, ${number(result.adjusted)} fields adjusted` : ''
  const lines = [`${number(result.apps)} apps in the registry${rejected}${adjusted}`]
  for (const problem of result.problems) lines.push(`  ${place(problem)}: ${printable(problem.message)}`)
  const hidden = result.rejected + result.adjusted - result.problems.length
  if (hidden > 0) lines.push(`  and ${number(hidden)} more`)
  return lines
}

/** A warning when apps send requests that the registry does not know. */
export function unregisteredSummary(unregistered: Unregistered): string[] {
  const { apps, requests, examples } = unregistered
  if (apps === 0) return []
  return [
    `warning: ${number(apps)} apps (${number(requests)} requests) are not in the registry, e.g. ${examples.map(quoted).join(', ')}`,
  ]
}
