/** Why two apps were linked or were not, over what is stored. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { investigate } from '../../services/analyzer/analyse.ts'
import { explainPair, type PairExplanation } from '../../services/analyzer/findings/pair-explanation.ts'
import { violationOf } from '../../services/analyzer/findings/violation.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { openEngine, type Engine } from '../support/analyzer-engine.ts'
import { platform, ring, RING } from '../support/analyzer-ring.ts'
import { store, together, WINDOW, type Traffic } from '../support/analyzer-traffic.ts'

const HOSTILE = '"\n\u202E\u001B[2J all of it is wrong'

/** The same program, at home, each key of another account: what a self-hosted tool looks like. */
const copies: Traffic = {
  bursts: ['home-1', 'home-2'].map((app, i) => ({
    app,
    network: `198.51.100.${i + 10}`,
    route: '/v1/route-30',
    agent: 'self-hosted/1.0',
    requests: 60,
  })),
  apps: ['home-1', 'home-2'].map((app) => ({ app, owner: `person-${app}`, name: app })),
}

let engine: Engine
let explain: (a: string, b: string) => Promise<PairExplanation>
let found: Awaited<ReturnType<typeof investigate>>
beforeAll(async () => {
  engine = await openEngine()
  const hostile = ring(['evil-1', 'evil-2', 'evil-3'], {
    network: '203.0.113.9',
    agent: HOSTILE,
    route: `/${HOSTILE}`,
    requests: 30,
    limit: 10,
  })
  await store(engine.clickhouse, together(platform(1), copies, hostile))
  const { clickhouse } = engine
  found = await investigate({ clickhouse, window: WINDOW, tuning: TUNING })
  explain = async (a, b) => await explainPair({ clickhouse, investigation: found, tuning: TUNING }, a, b)
}, 120_000)
afterAll(async () => {
  await engine.close()
})

const [one, other] = RING
const total = (
  { ledgers, evidence }: PairExplanation,
  question: 'one_operator' | 'one_use_case',
): readonly number[] => {
  const ledger = ledgers.find((some) => some.question === question)
  const sum = evidence.filter((item) => item.question === question).reduce((bits, item) => bits + item.bits, 0)
  return [(ledger?.prior_bits ?? 0) + sum, ledger?.total_bits ?? Number.NaN]
}

describe('a pair', () => {
  it('that is one is linked, with the finding that holds both', async () => {
    const pair = await explain(one, other)
    expect(pair.isLinked).toBe(true)
    expect(pair.reasons.join()).toContain('both questions are answered yes')
    expect(pair.clusters).toMatchObject([{ apps: [...RING], of: 'both' }])
    expect(pair.clusters[0]?.verdict).toContain('a finding: duplicate_apps_single_owner')
  })

  it('is explained alike in both orders', async () => {
    expect(await explain(other, one)).toEqual(await explain(one, other))
  })

  it('of two uses is vetoed by what they do, and says that no rule proposed it', async () => {
    const pair = await explain(one, 'home-1')
    expect(pair.isLinked).toBe(false)
    expect(pair.rules).toEqual([])
    expect(pair.reasons.join('\n')).toContain('no rule proposed the pair')
    expect(pair.reasons.join('\n')).toContain('veto: what they do contradicts one use case')
  })

  it("of two people's own copies of one tool has nothing that could not be copied", async () => {
    const pair = await explain('home-1', 'home-2')
    expect(pair.isLinked).toBe(false)
    expect(pair.reasons).toContain('the two run at no common address')
    expect(pair.reasons.join('\n')).toContain('nothing but what anyone can copy')
    expect(pair.clusters).toEqual([])
  })

  it.each([
    [one, other],
    [one, 'home-1'],
    ['home-1', 'home-2'],
  ])('%s, %s: prior and evidence of each ledger add up to its total', async (a, b) => {
    const pair = await explain(a, b)
    for (const question of ['one_operator', 'one_use_case'] as const) {
      const [sum = 0, told = 0] = total(pair, question)
      expect(sum).toBeCloseTo(told, 1)
    }
  })

  it('with an app that sent nothing, or with itself, is a usage error', async () => {
    await expect(explain(one, 'nobody')).rejects.toThrow('the app "nobody" sent no request')
    await expect(explain(one, one)).rejects.toThrow('two different apps')
  })
})

describe('a violation', () => {
  const violations = (): NonNullable<ReturnType<typeof violationOf>>[] =>
    found.judged.flatMap((judged) => violationOf(judged, found.candidates, TUNING) ?? [])

  it('says in one harmless line each what speaks for it, whatever the accused chose to be called', () => {
    const evil = violations().find(({ cluster }) => cluster.apps.includes('evil-1'))
    expect(evil).toBeDefined()
    for (const { statement, unit } of evil?.evidence ?? []) expect(statement + unit).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(evil?.evidence.map(({ statement }) => statement).join()).toContain(
      '"\'\\u{a}\\u{202e}\\u{1b}[2J all of it is wrong"',
    )
  })

  it('has evidence for both questions, innocent explanations, and is never surer without a kind of evidence', () => {
    for (const { evidence, explanations, probabilityWithout, cluster, closesWhen } of violations()) {
      const questions = new Set(evidence.map(({ question }) => question))
      expect(questions.has('one_operator') && questions.has('one_use_case') && questions.has('limits')).toBe(true)
      expect(new Set(evidence.map(({ signal }) => signal)).size).toBe(evidence.length)
      expect(explanations).toHaveLength(7)
      expect(closesWhen.length).toBeGreaterThan(1)
      for (const probability of Object.values(probabilityWithout)) {
        expect(probability).toBeLessThanOrEqual(cluster.probability)
      }
    }
  })
})
