/** The queries behind the evidence of a finding, with the parameters that show it again. */
import type { Reproduction } from '#schemas/finding.ts'
import type { Window } from '../run/window.ts'
import { dateTimeParam } from '../run/window.ts'
import type { Tuning } from '../tuning.ts'
import type { Violation } from './violation.ts'

const nameOf = (file: string): string => file.replace(/^sql\/queries\//, '').replace(/\.sql$/, '')

const CLUSTER_USE = 'sql/queries/clusters/cluster-use.sql'
/** What the use is counted by. */
const LIMIT_WINDOWS = ['sql/queries/clusters/limit-window.sql', 'sql/queries/clusters/window-offset.sql'] as const

export function reproduction(violation: Violation, window: Window, tuning: Tuning): Reproduction[] {
  const apps = [...violation.cluster.apps]
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const clusters = apps.map(() => 0)
  const seconds = tuning.gain.windowSeconds
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
    'clusters/limit-window': { ...span, apps, clusters },
    'clusters/window-offset': { ...span, apps, seconds },
    'clusters/cluster-use': {
      ...span,
      apps,
      clusters,
      // Of the platform's default; the two queries beside it give what the apps' own logs show.
      window_seconds: apps.map(() => seconds),
      offset_seconds: clusters,
      not_production: apps.map((app) => (violation.notProduction.has(app) ? 1 : 0)),
    },
  }
  const queries = new Set(
    violation.evidence.flatMap(({ query }) => (query === CLUSTER_USE ? [...LIMIT_WINDOWS, query] : [query])),
  )
  return [...queries].map((query) => ({ query, parameters: parametersOf[nameOf(query)] ?? span }))
}
