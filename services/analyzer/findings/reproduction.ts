/** The queries behind the evidence of a finding, with the parameters that show it again. */
import type { Reproduction } from '#schemas/finding.ts'
import type { Window } from '../run/window.ts'
import { dateTimeParam } from '../run/window.ts'
import type { Tuning } from '../tuning.ts'
import type { Violation } from './violation.ts'

const nameOf = (file: string): string => file.replace(/^sql\/queries\//, '').replace(/\.sql$/, '')

export function reproduction(violation: Violation, window: Window, tuning: Tuning): Reproduction[] {
  const apps = [...violation.cluster.apps]
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const clusters = apps.map(() => 0)
  const { emptyWords, emptyDomains, hostingSuffixes } = tuning.patterns
  const parametersOf: Readonly<Record<string, Reproduction['parameters']>> = {
    // No networks: requests from all of them.
    'snapshot/request-times': { ...span, apps, networks: [] },
    'snapshot/apps': {
      ...span,
      empty_words: emptyWords,
      empty_domains: emptyDomains,
      hosting_suffixes: hostingSuffixes,
    },
    'clusters/common-users': { ...span, apps, clusters },
    'clusters/cluster-use': {
      ...span,
      apps,
      clusters,
      window_seconds: apps.map(() => tuning.gain.windowSeconds),
      not_production: apps.map((app) => (violation.notProduction.has(app) ? 1 : 0)),
    },
  }
  const queries = [...new Set(violation.evidence.map(({ query }) => query))]
  return queries.map((query) => ({ query, parameters: parametersOf[nameOf(query)] ?? span }))
}
