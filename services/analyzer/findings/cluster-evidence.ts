/** What a cluster shows as a whole, beside its pairs: alike against its place's background, driven together, above one app's limit. */
import { printable } from '#lib/printable.ts'
import type { Evidence, HandOverExample } from '#schemas/finding.ts'
import type { Candidates } from '../clusters/candidates.ts'
import type { Group } from '../clusters/groups.ts'
import { pool } from '../evidence/route-mix.ts'
import { areBorrowed } from '../judgement/keys.ts'
import { isSharded } from '../judgement/policy.ts'
import type { Judged } from '../judgement/verdicts.ts'
import type { Counts, Snapshot } from '../run/snapshot.ts'
import { isRing } from '../signals/timing/hand-over.ts'
import type { ProcessProof } from '../signals/timing/one-process.ts'
import { median } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'
import { address, addresses, amount, names, oneIn, percent } from './words.ts'

const TIMES = 'sql/queries/snapshot/request-times.sql'

/** The routes that most requests go to, in words. */
function routesOf({ routes }: Snapshot, mix: Counts): string {
  const cells = [...mix.keys].flatMap((key, i) => {
    const route = routes[key]
    return route === undefined ? [] : [{ route, n: mix.counts[i] ?? 0 }]
  })
  const top = cells.toSorted((x, y) => y.n - x.n || (x.route < y.route ? -1 : 1)).slice(0, 2)
  return top.length === 0 ? 'nothing' : names(top.map(({ route }) => route))
}

function groupEvidence(group: Group, { context: { snapshot } }: Candidates): Evidence {
  const { place, apps, residents, q, surpriseBits } = group
  const inside = new Set(apps)
  const [own, others] = [true, false].map((isOwn) =>
    pool(place.residents.filter(({ app }) => inside.has(app) === isOwn).map(({ mix }) => mix)),
  )
  const [busiest = 0] = place.networks
  const more = place.networks.length > 1 ? ` and ${addresses(place.networks.length - 1)} of the same apps` : ''
  const rest = place.residents.length - apps.length
  const elsewhere =
    rest <= 0 || others === undefined
      ? 'no other app runs there'
      : `the other ${rest} mostly call ${routesOf(snapshot, others)}`
  return {
    signal: 'group',
    family: 'network',
    question: 'group',
    observed: apps.length,
    expected: 1 + (residents - 1) * q,
    unit: 'apps at the place that do the same',
    p: Math.min(1, 2 ** -surpriseBits),
    bits: Math.round(surpriseBits * 100) / 100,
    statement:
      `${apps.length} of the ${residents} apps that can be compared at ${address(snapshot.networks[busiest] ?? '')}${more} do the same thing ` +
      `(mostly ${own === undefined ? 'nothing' : routesOf(snapshot, own)}), ${elsewhere}; of apps elsewhere ${percent(q)} would pass for one of them. ` +
      `The chance that strangers at one place are so alike is ${oneIn(surpriseBits)}`,
    query: 'sql/queries/snapshot/streams.sql',
  }
}

const PROOFS: Readonly<Record<ProcessProof, readonly [unit: string, words: string]>> = {
  even_stagger: [
    'unevenness of the times of polls',
    'ask in turn at even distances around one period, as one scheduler that walks through its keys does',
  ],
  one_moment: ['likeness of the moments of polls, 0 to 1', 'ask at one and the same moment, which is no full minute'],
  common_restart: [
    'likeness of the moves of their phases, 0 to 1',
    'began again together: the times of their polls moved by one and the same amount and kept their distances',
  ],
  common_fate: [
    'pairs of keys silent in one minute',
    'fell silent in the same minutes, several times, while other programs at the place went on',
  ],
}

function processEvidence({ process }: Judged): Evidence[] {
  if (process === undefined) return []
  const [unit, words] = PROOFS[process.proof]
  return [
    {
      signal: process.proof,
      family: 'timing',
      question: 'one_hand',
      observed: process.observed,
      expected: process.expected,
      unit,
      p: process.p,
      bits: Math.round(-Math.log2(process.p) * 100) / 100,
      statement: `${process.apps.length} keys ${words}: ${amount(process.observed)} (${unit}), where programs of their own give ${amount(process.expected)}`,
      query: TIMES,
    },
  ]
}

function borrowedEvidence({ borrowed }: Judged, tuning: Tuning): Evidence[] {
  if (borrowed === undefined || !areBorrowed(borrowed, tuning)) return []
  return [
    {
      signal: 'borrowed_keys',
      family: 'behaviour',
      question: 'one_hand',
      observed: borrowed.share,
      expected: null,
      unit: 'share of keys that do here what they do nowhere else',
      p: null,
      bits: 0,
      statement:
        `${percent(borrowed.share)} of the keys that are used elsewhere too do here what they do nowhere else, and of those other lives only ` +
        `${percent(borrowed.livesAlike)} of the pairs are alike (of any two apps ${percent(borrowed.strangersAlike)}): keys of different people, used here by somebody for something else`,
      query: 'sql/queries/snapshot/app-routes.sql',
    },
  ]
}

const minutes = (ms: number): string => `${amount(ms / 60_000)} minutes`

function turnsEvidence({ ring }: Judged, tuning: Tuning): Evidence[] {
  if (ring === undefined || !isRing(ring, tuning)) return []
  return [
    {
      signal: 'turns',
      family: 'timing',
      question: 'one_hand',
      observed: ring.hits,
      expected: ring.expectedHits,
      unit: 'times that one of the apps fell silent and another began',
      p: null,
      bits: 0,
      statement:
        `${amount(ring.hits)} times one of ${ring.apps.length} apps fell silent and another began within half a minute, where shifted times give ${amount(ring.expectedHits)}; ` +
        `two of them were at work at once for ${minutes(ring.overlapMs)} in all, where shifted times give ${minutes(ring.expectedOverlapMs)}`,
      query: TIMES,
    },
  ]
}

function orderEvidence(
  { mode: { alternation, failover, mode, isAlternating }, rhythm }: Judged,
  tuning: Tuning,
): Evidence[] {
  const items: Evidence[] = []
  const timing = { family: 'timing', question: 'one_hand', bits: 0, query: TIMES } as const
  if (isAlternating) {
    items.push({
      ...timing,
      signal: 'alternation_order',
      observed: alternation.repeats,
      expected: alternation.expectedRepeats,
      unit: 'requests that follow one of the same app',
      p: null,
      statement:
        `of ${amount(alternation.neighbours)} requests within a minute of the one before, ${amount(alternation.repeats)} were by the same app again, where a shuffle gives ` +
        `${amount(alternation.expectedRepeats)} (${amount(alternation.z)} standard deviations): programs of their own repeat themselves, a rotation over keys does not, and shifted against each other they no longer alternate`,
    })
  } else if (rhythm !== undefined && rhythm.z >= tuning.alternation.coActivityZMin) {
    items.push({
      ...timing,
      signal: 'one_rhythm',
      observed: rhythm.switches,
      expected: rhythm.expected,
      unit: 'requests within a minute of one of another app',
      p: null,
      statement:
        `${amount(rhythm.switches)} times a request came within a minute of one of another of the apps, where shifted times give ${amount(rhythm.expected)} ` +
        `(${amount(rhythm.z)} standard deviations): they are at work at the same moments, as one job is that deals out its requests`,
    })
  }
  if (mode === 'failover') {
    items.push({
      ...timing,
      signal: 'failover',
      observed: failover.followed,
      expected: failover.expected,
      unit: 'refusals after which another app began within 30 s',
      p: Math.min(1, failover.p),
      statement:
        `after ${amount(failover.followed)} of ${amount(failover.refusals)} refusals (status 429) another of the apps began within 30 s, where the hour around gives ` +
        `${amount(failover.expected)}: who is refused goes on with another key`,
    })
  }
  return items
}

function spreadEvidence({ apps, sharedUserShare }: Judged, tuning: Tuning): Evidence[] {
  if (sharedUserShare === null || !isSharded(apps, sharedUserShare, tuning)) return []
  return [
    {
      signal: 'users_spread',
      family: 'users',
      question: 'group',
      observed: sharedUserShare,
      expected: null,
      unit: 'share of users seen in more than one of the apps',
      p: null,
      bits: 0,
      statement:
        `the middle app acts for ${amount(median(apps.map((app) => app.users)))} users, and only ${percent(sharedUserShare)} of all users are seen in more than one of ` +
        'the apps: one service that serves each of its users through one of them',
      query: 'sql/queries/clusters/common-users.sql',
    },
  ]
}

function limitEvidence({ gain }: Judged): Evidence[] {
  if (gain.value === null) return []
  return [
    {
      signal: 'gain',
      family: 'behaviour',
      question: 'limits',
      observed: gain.value,
      expected: 1,
      unit: 'peak use of all together / what one app may use',
      p: null,
      bits: 0,
      statement: `together they used ${amount(gain.value)} times what one app may: ${printable(gain.basis)}`,
      query: 'sql/queries/clusters/cluster-use.sql',
    },
  ]
}

/** Evidence of the cluster as a whole; the groups first. `bits` 0: it proves something beside the odds. */
export function clusterEvidence(judged: Judged, candidates: Candidates, tuning: Tuning): Evidence[] {
  return [
    ...judged.draft.groups.slice(0, 1).map((group) => groupEvidence(group, candidates)),
    ...processEvidence(judged),
    ...borrowedEvidence(judged, tuning),
    ...turnsEvidence(judged, tuning),
    ...orderEvidence(judged, tuning),
    ...spreadEvidence(judged, tuning),
    ...limitEvidence(judged),
  ]
}

const EXAMPLES_MAX = 8

/** Hand-overs of the members, spread over the window, in the order of time. */
export function handOverExamples(judged: Judged, candidates: Candidates, tuning: Tuning): HandOverExample[] {
  const { snapshot } = candidates.context
  const spells = judged.members.flatMap((app) => candidates.spells.get(app) ?? [])
  const idOf = (app: number): string => snapshot.apps[app]?.app_id ?? ''
  const { beforeMs, afterMs } = tuning.spells
  const found = spells.flatMap(({ app, ends }) =>
    ends.flatMap((end) => {
      const next = spells
        .filter((other) => other.app !== app)
        .flatMap((other) => {
          const start = other.starts.find((time) => time >= end - beforeMs)
          return start === undefined || start > end + afterMs ? [] : [{ app: other.app, start }]
        })
        .toSorted((x, y) => x.start - y.start || x.app - y.app)[0]
      return next === undefined ? [] : [{ end, from: app, to: next.app, gapMs: next.start - end }]
    }),
  )
  const sorted = found.toSorted((x, y) => x.end - y.end || x.from - y.from)
  const step = Math.max(1, sorted.length / EXAMPLES_MAX)
  return Array.from({ length: Math.min(EXAMPLES_MAX, sorted.length) }, (_, i) => sorted[Math.floor(i * step)]).flatMap(
    (one) =>
      one === undefined
        ? []
        : [
            {
              at: new Date(snapshot.window.fromMs + one.end).toISOString(),
              from: idOf(one.from),
              to: idOf(one.to),
              gap_seconds: Math.round(one.gapMs / 100) / 10,
            },
          ],
  )
}
