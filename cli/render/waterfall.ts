/** Evidence as a waterfall: from the odds before any of it, each piece in bits (log2 of odds), to the odds after. Pure. */
import { printable } from '#lib/printable.ts'
import type { Evidence, Ledger } from '#schemas/finding.ts'
import { wrapped } from './lines.ts'

const BAR_MAX = 12

export const QUESTIONS = {
  one_operator: 'One operator?',
  one_use_case: 'One use case?',
} as const

const bar = (bits: number): string =>
  (bits < 0 ? '-' : '+').repeat(Math.min(BAR_MAX, Math.max(1, Math.round(Math.abs(bits))))).padEnd(BAR_MAX)

const step = (bits: number): string => `  ${bits.toFixed(1).padStart(6)} ${bar(bits)} `

/** 1 bit = twice as likely. Never 100 %. */
export function oddsWords(bits: number): string {
  const probability = 1 / (1 + 2 ** -bits)
  return `${Math.floor(probability * 1000) / 10} %`
}

/** Three digits, or whole from ten on. */
export const number = (value: number): string =>
  Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))

function measured({ observed, expected, unit, p, question }: Evidence): string {
  const against = question === 'limits' ? 'one app may' : 'by chance'
  const chance = expected === null ? '' : `, ${against} ${number(expected)}`
  const tail = p === null ? '' : `, p ${p < 1e-12 ? '< 1e-12' : `= ${p.toPrecision(2)}`}`
  return `${number(observed)}${chance} (${unit})${tail}`
}

/** One piece of evidence: bits where it moves the odds, what was observed, what chance gives, where to see it. */
export function evidenceLines(item: Evidence, width: number): string[] {
  const first = item.bits === 0 ? '  - ' : step(item.bits)
  const indent = ' '.repeat(Math.max(8, first.length))
  return [
    ...wrapped(first, `${item.family}: ${item.statement}`, width),
    ...wrapped(`${indent}observed `, measured(item), width),
    ...wrapped(`${indent}see `, item.query, width),
  ]
}

/** A ledger of a pair with its evidence. */
export function ledgerLines(ledger: Ledger, evidence: readonly Evidence[], width: number): string[] {
  const pair = ledger.apps.map(printable).join(' and ')
  const alone = ledger.is_linked ? '' : ', which are not linked by themselves'
  return [
    ...wrapped('', `${QUESTIONS[ledger.question]} ${pair}${alone}`, width),
    `${step(ledger.prior_bits)}before any evidence (1 in ${Math.max(1, Math.round(2 ** -ledger.prior_bits)).toLocaleString('en-US')})`,
    ...evidence.filter(({ question }) => question === ledger.question).flatMap((item) => evidenceLines(item, width)),
    `  ${ledger.total_bits.toFixed(1).padStart(6)} ${'='.repeat(BAR_MAX)} ${oddsWords(ledger.total_bits)}`,
  ]
}
