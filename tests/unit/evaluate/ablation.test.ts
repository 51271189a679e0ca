import { expect, test } from 'vitest'

import { ablationOf, sumAblations } from '../../../evaluate/ablation.ts'
import { score } from '../../../evaluate/score.ts'
import { cluster, group, truthOf } from '../../support/score-oracle.ts'

const truth = truthOf([group('v1', 'abc'), group('v2', 'de'), group('v3', 'fg')])

test('what is lost and what is gained without a part are told apart, and add up over worlds', () => {
  const whole = score(truth, [cluster('1', 'abc'), cluster('2', 'de')])
  const without = score(truth, [cluster('1', 'de'), cluster('2', 'fg'), cluster('3', 'xy')])
  const ablation = ablationOf('groups', whole, without)
  expect(ablation).toEqual({
    without: 'groups',
    violations: 3,
    found: 2,
    lost: 1,
    gained: 1,
    false_findings: 1,
    benign_apps_named: 2,
  })
  const nothing = ablationOf('users', whole, whole)
  expect(sumAblations([ablation, nothing, ablation])).toEqual([
    { ...ablation, violations: 6, found: 4, lost: 2, gained: 2, false_findings: 2, benign_apps_named: 4 },
    nothing,
  ])
})
