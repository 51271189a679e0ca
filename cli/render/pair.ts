/** Why two apps were linked or were not, for people. Pure. */
import { printable, quoted } from '#lib/printable.ts'
import type { PairExplanation } from '../../services/analyzer/findings/pair-explanation.ts'
import { wrapped } from './lines.ts'
import { ledgerLines } from './waterfall.ts'

const APPS_SHOWN = 12

function clusterLines({ clusters }: PairExplanation, width: number): string[] {
  if (clusters.length === 0) return ['', 'Neither of them is in a cluster of apps that may be one.']
  return [
    '',
    'Clusters',
    ...clusters.flatMap(({ apps, of, verdict }) => {
      const shown = apps.slice(0, APPS_SHOWN).join(', ')
      const more = apps.length > APPS_SHOWN ? `, and ${apps.length - APPS_SHOWN} more` : ''
      const holds = of === 'both' ? 'holds both' : 'holds one of them'
      return wrapped('  - ', `${holds} (${shown}${more}): ${verdict}`, width)
    }),
  ]
}

/** `width` in columns. The text ends without a line end. */
export function renderPair(pair: PairExplanation, width: number): string {
  const rules = pair.rules.map((rule) => rule.replaceAll('_', ' ')).join(', ')
  return [
    ...pair.apps.flatMap(({ app_id: id, name, owner_id: owner, requests }) =>
      wrapped(
        '',
        `${printable(id)} ${quoted(name)} of ${owner === '' ? 'an account that is not known' : `account ${owner}`}, ${requests} requests`,
        width,
      ),
    ),
    pair.isLinked ? 'linked' : 'not linked',
    ...(rules === '' ? [] : [`proposed by ${rules}`]),
    '',
    'Why',
    ...pair.reasons.flatMap((reason) => wrapped('  - ', reason, width)),
    ...pair.ledgers.flatMap((ledger) => ['', ...ledgerLines(ledger, pair.evidence, width)]),
    ...clusterLines(pair, width),
  ].join('\n')
}
