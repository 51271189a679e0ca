/** Puts a cluster's evidence into numbers and words: what was observed, what chance would have given, what else could explain it. */
import type { Evidence, InnocentExplanation } from '#schemas/finding.ts'
import { isRegistered, type App } from '../run/apps.ts'
import type { Cluster } from '../clusters/clusters.ts'
import type { ClusterReads } from '../judgement/facts.ts'
import type { SignalEvidence } from '../evidence/bits.ts'
import type { Exemption } from '../judgement/exemption.ts'
import { median, probabilityOfBits } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'

/** Evidence of a cluster: of each signal, the pair in the middle, strongest signal first. */
export function clusterEvidence(cluster: Cluster): Evidence[] {
  const bySignal = Map.groupBy(
    cluster.scores.flatMap((score) => score.evidence),
    (item) => item.signal.name,
  )
  return [...bySignal.values()]
    .map((items) => typicalEvidence(items))
    .toSorted((x, y) => Math.abs(y.bits) - Math.abs(x.bits) || (x.signal < y.signal ? -1 : 1))
}

function typicalEvidence(items: readonly SignalEvidence[]): Evidence {
  const sorted = items.toSorted((x, y) => x.bits - y.bits || x.measurement.observed - y.measurement.observed)
  const middle = sorted[sorted.length >> 1]
  if (middle === undefined) throw new Error('a signal without measurements has no evidence')
  const { signal, measurement, bits } = middle
  return {
    signal: signal.name,
    family: signal.family,
    observed: measurement.observed,
    expected: measurement.expected,
    unit: signal.unit,
    p: measurement.p === null ? null : Math.min(1, Math.max(0, measurement.p)),
    bits: Math.round(bits * 100) / 100,
    statement: signal.describe(measurement),
    query: `sql/queries/${signal.query}.sql`,
  }
}

/** Probability of the median pair without its strongest family: how much hangs on one kind of evidence. */
export function withoutBestFamily(cluster: Cluster): number {
  return median(
    cluster.scores.map((score) => probabilityOfBits(score.bits - Math.max(0, ...score.familyBits.values()))),
  )
}

export function innocentExplanations(
  cluster: Cluster,
  apps: readonly App[],
  reads: ClusterReads,
  exemption: Exemption,
  tuning: Tuning,
): InnocentExplanation[] {
  const hubs = reads.networks.filter((network) => network.class === 'hub').length
  const shared = reads.networks.filter((network) => network.class === 'shared').length
  const behaviour = median(cluster.scores.map((score) => score.familyBits.get('behaviour') ?? 0))
  const unregistered = apps.filter((app) => !isRegistered(app)).length
  const hours = median(reads.effectiveHours)
  const elsewhere = median(reads.elsewhereShares)
  return [
    {
      explanation: 'people or tenants behind one address',
      ruled_out: true,
      statement:
        `networks that unrelated apps use too carry no weight: ${hubs} that many pass through and ` +
        `${shared} shared hosts, of the ${reads.networks.length} shown`,
    },
    {
      explanation: 'different products of one operator',
      ruled_out: behaviour >= tuning.evidence.familySpeaksBits,
      statement: `what the apps do is worth ${behaviour.toFixed(1)} bits of likeness in the middle pair`,
    },
    {
      explanation: 'a move from an old app to its successor',
      ruled_out: true,
      statement: 'the apps were used side by side: links between an app and its successor are not counted',
    },
    {
      explanation: "each person's own copy of one tool",
      ruled_out: elsewhere < tuning.policy.elsewhereShareMin && hours >= tuning.policy.machineHoursMin,
      statement:
        `in the middle app ${Math.round(elsewhere * 100)} % of the traffic came from networks that no other member uses, ` +
        `spread over ${hours.toFixed(0)} hours of the day`,
    },
    {
      explanation: 'development, staging and production of one service',
      ruled_out: unregistered === 0,
      statement:
        unregistered > 0
          ? `cannot be tested: ${unregistered} of these apps are not in the registry`
          : exemption.claimed
            ? `claimed, and not met: ${exemption.failures.join(', ').replaceAll('_', ' ')}`
            : 'not claimed by names and descriptions',
    },
  ]
}
