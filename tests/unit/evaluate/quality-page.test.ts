import { describe, expect, test } from 'vitest'
import { calibrationCurve } from '../../../bench/pictures/calibration-curve.ts'
import { methodBars } from '../../../bench/pictures/method-bars.ts'
import { scenarioMap } from '../../../bench/pictures/scenario-map.ts'
import { qualityPage } from '../../../bench/quality-page.ts'
import { ablationOf, NOTHING } from '../../../evaluate/ablation.ts'
import type { Peer } from '../../../evaluate/peers/peer.ts'
import { summarize } from '../../../evaluate/summary.ts'
import { worldResult } from '../../../evaluate/world-result.ts'
import { cluster, group, truthOf } from '../../support/score-oracle.ts'

/** Finds half of what there is, and accuses three benign apps. */
const peer: Peer = {
  name: 'a <method> & "others"',
  sweep: () => [
    {
      setting: 'x | y',
      groups: [
        ['a', 'b', 'c'],
        ['x', 'y', 'z'],
      ],
    },
  ],
}

const truth = {
  ...truthOf([
    group('v1', 'abc', { strength: 'weak' }),
    group('v2', 'de', { strength: 'weak', scenario: 'rota_tion', held_out: true }),
  ]),
  world: 'hard',
}
const nothing = { networks: [], routes: [], userAgents: [], actions: [] }
const found = [cluster('c1', 'abc'), cluster('c2', 'de')]
const summaries = summarize([worldResult(truth, found, [peer], nothing)])

/** Texts of a picture in order. */
function textsOf(picture: string): string[] {
  return [...picture.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, content = '']) => content)
}

/** Tags that are left open, or closed where another is open. */
function unclosed(picture: string): string[] {
  const open: string[] = []
  for (const [, slash = '', name = '', selfClosing = ''] of picture.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (slash === '/' && open.at(-1) === name) open.pop()
    else if (selfClosing === '') open.push(name)
  }
  return open
}

describe('pictures', () => {
  test.each([
    ['bars', methodBars(summaries)],
    ['map', scenarioMap(summaries)],
    ['curve', calibrationCurve(summaries)],
    ['bars of nothing', methodBars([])],
    ['map of nothing', scenarioMap([])],
    ['curve of nothing', calibrationCurve([])],
  ])('%s: tags are closed, names are escaped, every number is finite', (_, picture) => {
    expect(unclosed(picture)).toEqual([])
    expect(picture).not.toMatch(/<method>|NaN|Infinity|undefined/)
    expect(picture).toContain('prefers-color-scheme: dark')
  })

  test('bars show what the methods found and whom they accused wrongly', () => {
    const texts = textsOf(methodBars(summaries))
    const at = texts.indexOf('sidestep')
    expect(texts.slice(at, at + 4)).toEqual(['sidestep', '100 %', '0.0', '0.0'])
    expect(texts.slice(at + 4)).toEqual(['a &lt;method&gt; &amp; &quot;others&quot;', '50 %', '1.0', '3.0'])
  })

  test('the map has a cell for each scenario and method, held-out scenarios named as that', () => {
    const texts = textsOf(scenarioMap(summaries))
    expect(texts.filter((content) => / of /.test(content))).toEqual(['1 of 1', '1 of 1', '1 of 1', '0 of 1'])
    expect(texts).toContain('rota tion (held out)')
  })
})

test('the page has each measure of the detector, and no name can break its tables', () => {
  const page = qualityPage(summaries, { command: 'npm run bench', planned: 2, evaluated: 1 })
  expect(page).toContain('| violations found | **100.0 %**<br>2 of 2 |')
  expect(page).toContain('stopped after 1 of 2 worlds')
  expect(page).toContain('| 50.0 % |')
  expect(page).toContain('x \\| y')
  expect(page.endsWith('\n')).toBe(true)
})

test('what is lost without a part is beside the whole detector, on the pages of runs that asked for it', () => {
  const made = { command: 'npm run bench', planned: 1, evaluated: 1 }
  expect(qualityPage(summaries, made)).not.toContain('What is each part good for?')
  const result = worldResult(truth, found, [], undefined)
  const without = worldResult(truth, [cluster('c1', 'abc')], [], undefined)
  const ablations = [ablationOf(NOTHING, result.card, result.card), ablationOf('hand_over', result.card, without.card)]
  const page = qualityPage(summarize([{ ...result, ablations }]), made)
  expect(page).toContain('| **the whole detector** | 2 | 0 | 0 | 0 | 0 |')
  expect(page).toContain('| without hand over | 1 | 1 | 0 | 0 | 0 |')
})
