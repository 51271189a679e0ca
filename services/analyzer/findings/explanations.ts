/**
 * The innocent explanations of a finding, how each came out, and what would make it close. `ruled_out` is said only of what was tested: what the
 * logs cannot tell stays open, for a person to ask.
 */
import type { ExemptionFailure, InnocentExplanation } from '#schemas/finding.ts'
import type { Candidates } from '../clusters/candidates.ts'
import type { PairLedgers } from '../evidence/ledgers.ts'
import { areBorrowed, areKeysOfMany, isSingleUser } from '../judgement/keys.ts'
import { isOneOwner } from '../judgement/policy.ts'
import { commonTraffic } from '../judgement/standing.ts'
import type { Judged } from '../judgement/verdicts.ts'
import { isRing } from '../signals/timing/hand-over.ts'
import { median } from '../statistics.ts'
import type { Tuning } from '../tuning.ts'
import { accounts, amount, names, percent } from './words.ts'

export interface Accused {
  readonly judged: Judged
  readonly candidates: Candidates
  /** Accepted links between members. */
  readonly links: readonly PairLedgers[]
  /** The links; where there are none, all pairs of members that were looked at. */
  readonly pairs: readonly PairLedgers[]
  readonly tuning: Tuning
}

const CONDITIONS: Readonly<Record<ExemptionFailure, string>> = {
  more_than_three_apps: 'there are more than three apps',
  more_than_one_owner: 'they are registered to more than one account',
  environment_missing_from_name: 'not every name says which environment it is',
  environment_missing_from_description: 'not every description says which environment it is',
  environment_claimed_twice: 'two of them claim the same environment',
  non_production_carries_production_load: 'the ones that are not production carry its load',
}

/** Bits of a signal in the middle link; 0 without links. */
const middleBits = (links: readonly PairLedgers[], signal: string): number =>
  links.length === 0
    ? 0
    : median(links.map(({ operator }) => operator.find((entry) => entry.signal === signal)?.bits ?? 0))

function neighbours({ judged, links }: Accused, surpriseMin: number): InnocentExplanation {
  const explanation = 'people or tenants behind one address'
  const [group] = judged.draft.groups
  if (group !== undefined) {
    const rest = group.place.residents.length - group.apps.length
    const against = rest <= 0 ? 'nobody else runs there' : `the other ${rest} apps there do something else`
    const statement = `${group.apps.length} of ${group.residents} apps at the place are alike, ${against}; strangers on one address are not alike (${amount(group.surpriseBits)} bits of surprise)`
    return { explanation, ruled_out: group.surpriseBits >= surpriseMin, statement }
  }
  if (middleBits(links, 'place') === 0) {
    const statement = 'nothing here rests on common addresses: those that unrelated apps use too counted for nothing'
    return { explanation, ruled_out: true, statement }
  }
  const residents = links.flatMap(({ facts }) =>
    facts.places.length === 0 ? [] : [Math.min(...facts.places.map(({ place }) => place.residents.length))],
  )
  const least = median(residents)
  const statement = `in the middle pair ${amount(least)} apps run at the common place, and the two do the same thing; places that strangers share carry no weight by themselves`
  return { explanation, ruled_out: least <= 4, statement }
}

function ownCopies(accused: Accused): InnocentExplanation {
  const { judged, tuning } = accused
  const explanation = "each person's own copy of one tool"
  const { apps, usersHere, process, borrowed, mode } = judged
  if (isOneOwner(apps)) return { explanation, ruled_out: true, statement: 'one account registered them all' }
  if (!areKeysOfMany(apps, usersHere, tuning)) {
    const single = apps.filter((app) => isSingleUser(app, tuning)).length
    const statement = `they are no keys of one person each: ${single} of ${apps.length} apps act for one person or nobody`
    return { explanation, ruled_out: true, statement }
  }
  const proofs = [
    process === undefined ? undefined : 'one process drives the keys',
    areBorrowed(borrowed, tuning) ? 'their keys are used here for what their owners do nowhere else' : undefined,
    takesTurns(accused) ? 'they take turns in time' : undefined,
    mode.isAlternating ? 'requests go from key to key in one order' : undefined,
  ].filter((proof) => proof !== undefined)
  const statement =
    proofs.length > 0
      ? `people's own copies run each by themselves; here ${proofs.join(', and ')}`
      : 'the apps act for the same users, which copies of different people do not'
  return { explanation, ruled_out: true, statement }
}

function products({ judged, pairs }: Accused, bitsMin: number): InnocentExplanation {
  const explanation = 'different products of one operator'
  const [group] = judged.draft.groups
  const mixes = pairs.flatMap(({ facts }) => facts.mixBits ?? [])
  if (group !== undefined) {
    const fit = median([...group.fitBits.values()])
    const statement = `what the others do explains what each of them does: ${amount(fit)} bits better in the middle app than what other apps do`
    return { explanation, ruled_out: fit > 0, statement }
  }
  if (mixes.length === 0) {
    return { explanation, ruled_out: false, statement: 'too few requests to compare what the apps do' }
  }
  const middle = median(mixes)
  const statement = `products differ in what they call; in the middle pair the mixes of routes are worth ${amount(middle)} bits for one use case`
  return { explanation, ruled_out: middle >= bitsMin, statement }
}

const takesTurns = ({ judged: { ring }, tuning }: Accused): boolean => ring !== undefined && isRing(ring, tuning)

function successor(accused: Accused): InnocentExplanation {
  const { judged, links } = accused
  const explanation = 'a move from an old app to its successor'
  if (links.length === 0 && takesTurns(accused)) {
    const statement = 'the apps hand over to each other and back; an app does not come back after its successor'
    return { explanation, ruled_out: true, statement }
  }
  const pairs = (judged.members.length * (judged.members.length - 1)) / 2
  const statement =
    links.length === 0
      ? 'not tested: the apps were found as a group at one place, no pair by itself'
      : `tested for ${links.length} of ${pairs} pairs: both apps were used side by side; a pair where one comes after the other, at once or user by user, is not linked`
  return { explanation, ruled_out: links.length > 0, statement }
}

function environments({ judged: { apps, exemption, environment } }: Accused): InnocentExplanation {
  const explanation = 'development, staging and production of one service'
  const unknown = apps.filter((app) => app.owner_id === '').length
  if (unknown > 0) {
    const statement = `cannot be tested: ${unknown} of these apps are not in the registry`
    return { explanation, ruled_out: false, statement }
  }
  if (!exemption.claimed) return { explanation, ruled_out: true, statement: 'not claimed by names and descriptions' }
  const failed = exemption.failures.map((failure) => CONDITIONS[failure]).join('; ')
  const users = environment.userJaccard
  const people = users === null ? '' : ` (${percent(users)} of the users of either side are users of both)`
  return { explanation, ruled_out: true, statement: `claimed, and not met: ${failed}${people}` }
}

/** From this share of a pair's requests on, its users in common are a copy's rather than a market's. */
const COPY_SHARE = 0.6

const BESIDE_USERS = [
  ['place', 'a common place'],
  ['hand_over', 'hand-overs in time'],
  ['owner', 'one account'],
] as const

function competitors(accused: Accused): InnocentExplanation {
  const { judged, links } = accused
  const explanation = 'competitors with the same routes and overlapping customers'
  const beside = BESIDE_USERS.filter(([signal]) => middleBits(links, signal) > 0)
  const shares = links.flatMap(({ facts }) => (facts.users === undefined ? [] : [facts.users.share]))
  const share = shares.length === 0 ? 0 : median(shares)
  const said = [
    ...(judged.draft.groups.length > 0 ? ['a common place'] : []),
    ...(takesTurns(accused) ? ['turns in time'] : []),
    ...beside.map(([, words]) => words),
  ]
  if (said.length > 0) {
    return { explanation, ruled_out: true, statement: `competitors do not share ${[...new Set(said)].join(' or ')}` }
  }
  const statement = `the evidence is users in common: ${percent(share)} of the requests of the middle pair; a market has some of its users in common, a copy most`
  return { explanation, ruled_out: share >= COPY_SHARE, statement }
}

/** Whose evidence it is, and who could have made it. */
function framing(accused: Accused): InnocentExplanation {
  const { judged, candidates, links, tuning } = accused
  const explanation = 'somebody else made these traces (framing, a stolen key)'
  if (areBorrowed(judged.borrowed, tuning)) {
    const statement =
      'the keys are used here by somebody else than in their other lives; whether their owners handed them over or had them stolen, the logs cannot tell: ask the owners'
    return { explanation, ruled_out: false, statement }
  }
  const { members, victims, apps } = judged
  const traffic = commonTraffic(candidates.context, members)
  const share = median(members.map((app) => traffic.get(app) ?? 0))
  const own = isOneOwner(apps)
  const timed = middleBits(links, 'hand_over') > 0 || takesTurns(accused)
  const parts = [
    own ? 'one account registered them all, which only the platform writes' : undefined,
    share > 0
      ? `the middle app sends ${percent(share)} of its own requests from the common places: who frames an app, or uses its key without leave, moves little of its traffic`
      : undefined,
    timed
      ? 'the apps hand over both ways, with requests that their own keys sign: who imitates one can follow it, not be followed'
      : undefined,
    'names, programs and routes are free to copy and never decide',
    victims.length === 0
      ? 'every member stands on what binds the others'
      : `${victims.length} that did not stand on it are named as victims, not accused`,
  ].filter((part) => part !== undefined)
  return { explanation, ruled_out: own || timed || share >= 0.5, statement: parts.join('; ') }
}

export function innocentExplanations(accused: Accused): InnocentExplanation[] {
  const { tuning } = accused
  return [
    neighbours(accused, tuning.groups.surpriseMin),
    ownCopies(accused),
    products(accused, tuning.ledgers.useCaseBitsMin),
    successor(accused),
    environments(accused),
    competitors(accused),
    framing(accused),
  ]
}

/** What would make the finding close, in words for the one accused and for who decides. */
export function closesWhen({ judged, links }: Accused): string[] {
  const { apps, gain, exemption } = judged
  const owners = apps.map((app) => app.owner_id)
  const known = [...new Set(owners.filter((owner) => owner !== ''))]
  return [
    'the use case runs on one app: the others send nothing for the length of the window',
    ...(isOneOwner(apps) && gain.value !== null
      ? [
          `peak use of all together stays within what one app may use (now ${amount(gain.value)} times): the apps are then listed as related, without an accusation`,
        ]
      : []),
    ...(exemption.claimed
      ? [
          `the conditions of development, staging and production are met; now ${exemption.failures.map((failure) => CONDITIONS[failure]).join('; ')}`,
        ]
      : []),
    ...(owners.includes('')
      ? ['the registry names the accounts of all apps, and they and their purposes turn out to be unrelated']
      : []),
    known.length > 1
      ? `${accounts(owners)} (${names(known)}) show what each does with its key, and that nobody else holds it`
      : 'its owner shows that the apps are different products, which no user and no data of one needs the other for',
    ...(links.length === 0 && judged.draft.groups.length > 0
      ? ['the place turns out to be one where unrelated people run the same program']
      : []),
    'the platform approves the arrangement',
  ]
}
