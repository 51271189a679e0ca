import { describe, expect, it } from 'vitest'
import type { Finding } from '#schemas/finding.ts'
import { renderFinding } from '../../../../cli/render/finding.ts'
import { renderFindings } from '../../../../cli/render/findings-table.ts'
import { renderPair } from '../../../../cli/render/pair.ts'
import { buildFinding } from '../../../../services/analyzer/findings/event.ts'
import type { PairExplanation } from '../../../../services/analyzer/findings/pair-explanation.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { accused, evidence, NOW_MS, violation, WINDOW } from '../../../support/analyzer-cases.ts'

const built = (more: Parameters<typeof violation>[1] = {}): Finding =>
  buildFinding(violation(['a', 'b'], more), { uid: 'sf-1', revision: 1 }, WINDOW, NOW_MS, TUNING)

const WIDTH = 120
const ATTACK =
  'x\r\n  ruled out  all of it: \u001B[2K\u001B[1A\u202Esf-000000000000  no finding\u2028\n\nVictims, not accused\n  a'

/** Everything that the accused chose themselves, hostile or as long and harmless. */
const withText = (text: string): Finding =>
  built({
    cluster: { ...violation([text, 'b']).cluster, apps: [text, 'b'] },
    apps: [accused(text, { name: text, owner_id: text }), accused('b')],
    victims: [accused(`v${text}`, { name: text, owner_id: text })],
    gain: { value: 2, basis: `2 requests to ${text}`, ofOthers: 0 },
    evidence: [evidence({ statement: `both speak as ${text}`, unit: text })],
    handOvers: [{ at: '2026-03-01T10:00:00.000Z', from: text, to: 'b', gap_seconds: 2 }],
    explanations: [{ explanation: 'an innocent one', ruled_out: false, statement: text }],
    closesWhen: [text],
    networks: [{ network: text, apps: 2, cluster_apps: 2, class: text, share: 1 }],
  })

/** Lines that begin something: what follows another stands eight columns deep. */
const beginnings = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith(' '.repeat(8)))

describe('text of the accused', () => {
  const harmless = ATTACK.replaceAll(/[^ a-z]/gi, '-')

  it('makes no line of its own in a finding', () => {
    const shown = renderFinding(withText(ATTACK), WIDTH)
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    const lines = beginnings(shown)
    expect(lines).toHaveLength(beginnings(renderFinding(withText(harmless), WIDTH)).length)
    expect(lines.filter((line) => line === 'Victims, not accused')).toHaveLength(1)
    expect(lines.filter((line) => line.startsWith('  ruled out'))).toEqual([])
  })

  it('makes no row of its own in the table', () => {
    const shown = renderFindings([withText(ATTACK)], WIDTH)
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(
      shown
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .map((line) => line.split(' ')[0]),
    ).toEqual(['finding', 'sf-1'])
  })

  it('makes no line of its own where a pair is explained', () => {
    const pair: PairExplanation = {
      apps: [accused(ATTACK, { name: ATTACK, owner_id: ATTACK }), accused('b')],
      rules: ['co_residents'],
      ledgers: [{ question: 'one_operator', apps: [ATTACK, 'b'], prior_bits: -6, total_bits: 2, is_linked: false }],
      evidence: [evidence({ statement: ATTACK })],
      isLinked: false,
      reasons: [ATTACK],
      clusters: [{ apps: [ATTACK], of: 'one', verdict: 'a finding' }],
    }
    const shown = renderPair(pair, WIDTH)
    expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    expect(beginnings(shown).filter((line) => line.startsWith('  ruled out') || line.startsWith('Victims'))).toEqual([])
  })
})

describe('a finding in full', () => {
  it('shows both ledgers from the odds before to the odds after', () => {
    const shown = renderFinding(built(), WIDTH)
    expect(shown).toContain('One operator? a and b')
    expect(shown).toContain('before any evidence (1 in 64)')
    expect(shown).toMatch(/ 8\.0 \+{8} +network: both run at 192\.0\.2\.7/)
    expect(shown).toMatch(/ 2\.0 =+ 80 %/)
    expect(shown).toContain('One use case? a and b')
    expect(shown).toContain('see sql/queries/snapshot/app-routes.sql')
  })

  it('shows hand-overs, what hangs on each kind of evidence, and what would make it close', () => {
    const shown = renderFinding(built(), WIDTH)
    expect(shown).toContain('2026-03-01T10:00:00.000Z  a falls silent, b begins 1.5 s later')
    expect(shown).toMatch(/without behaviour +40 %/)
    expect(shown).toContain('  - the use case runs on one app')
    expect(shown).toContain('sql/queries/snapshot/streams.sql with from = "2026-03-01 00:00:00"')
  })

  it('of a pair that is not linked by itself says so', () => {
    const [ledger] = violation(['a', 'b']).ledgers
    const ledgers = ledger === undefined ? [] : [{ ...ledger, is_linked: false }]
    expect(renderFinding(built({ ledgers }), WIDTH)).toContain('which are not linked by themselves')
  })

  it('keeps within the width', () => {
    const long = evidence({ statement: 'word '.repeat(200) })
    for (const width of [80, 120, 200]) {
      const lines = renderFinding(built({ evidence: [long] }), width).split('\n')
      expect(Math.max(...lines.filter((line) => line.includes('word')).map((line) => line.length))).toBeLessThanOrEqual(
        width,
      )
    }
  })

  it('of an older revision, without questions and ledgers, is shown too', () => {
    const { question: _question, ...old } = evidence()
    const event = built({ evidence: [old], ledgers: [], handOvers: [] })
    expect(renderFinding(event, WIDTH)).toContain('both run at 192.0.2.7')
  })
})

describe('the table', () => {
  it('says of unknown owners that they are unknown', () => {
    const row = (...owners: string[]): string => {
      const apps = owners.map((owner_id, i) => accused(`app-${i}`, { owner_id }))
      const more = { apps, policies: ['duplicate_apps_multiple_owners'] as const }
      return renderFindings([built(more)], 140).split('\n')[1] ?? ''
    }
    expect(row('', '')).toMatch(/duplicate apps, owners \? +2 +\? /)
    expect(row('x', 'y', '')).toMatch(/duplicate apps, many owners +3 +2\+\? /)
    expect(row('x', 'y')).toMatch(/duplicate apps, many owners +2 +2 /)
  })

  it('counts no victim among the apps and the owners', () => {
    const shown = renderFindings([built({ victims: [accused('framed', { owner_id: 'other' })] })], 140)
    expect(shown.split('\n')[1]).toMatch(/one owner +2 +1 /)
  })
})
