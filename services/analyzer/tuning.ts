/**
 * Every weight and threshold of the analysis, each with its reason. Nothing elsewhere in the analyzer is a magic number.
 *
 * `m` values are shipped defaults (the share of true pairs that reach a level); `u` is never set here: each run measures it on pairs of its own
 * traffic that contradict each other. A finding carries the hash of this object. Figures without a source were measured on simulated platforms
 * of several generators (docs/quality.md).
 */
import { createHash } from 'node:crypto'

import { DEFAULT_USER_AGENTS, EMPTY_DOMAINS, EMPTY_WORDS, HOSTING_SUFFIXES } from './patterns.ts'

export const TUNING = {
  blocking: {
    /** A resident has at least 5 % of its traffic on the network: an operator rotating over 20 addresses still has. */
    residentShareMin: 0.05,
    residentRequestsMin: 20,
    userWeightMin: 1.5,
    /** More residents than this: a provider, and the pairs would grow with the square. */
    residentsMax: 200,
    /** Larger groups of one owner, domain, stem or user agent are agencies and frameworks. */
    groupMax: 60,
    /** Each rule's cap: bounds the cost; strongest pairs first, and a capped rule is reported. */
    pairsPerRuleMax: 40_000,
  },
  routeMix: {
    /** Effective requests of a mix: 300 vetoes what deviates by .2-.35, 30 is too blunt (49 clusters: 30, 43 and 46 found at 60). */
    temper: 60,
    /** Prior weight in requests: a few, so that a dozen requests already speak. */
    priorRequests: 3,
    /** Share of use cases that no other app on the platform has. */
    unseenWeight: 0.1,
    /** Weight of "for nobody, one or many" in a mix, in requests: another audience costs about four bits. */
    audienceRequests: 3,
    /** Apps that stand for the platform: q down to 1/400 costs little, more changes nothing. */
    worldApps: 400,
  },
  users: {
    /** Users of more apps than this are "popular users who use many apps" and link nothing. */
    popularApps: 8,
    /** No fewer common users than this are expected by chance: a finite sample cannot show less. */
    expectedMin: 0.05,
  },
  polls: {
    /** A poll begins after so much silence, milliseconds. */
    silenceMs: 15_000,
    /** Share of gaps near the median from which on a key is regular: pollers .9-1.0, people 0-.2. */
    regularityMin: 0.3,
    keysMin: 4,
    /** One process .00-.17, independent deployments .5-2.1. */
    staggerMax: 0.3,
    /** Of the even stagger under uniform phases. */
    pMax: 0.002,
    draws: 2000,
    /** Phases are taken for spans of two hours: restarts move them. Milliseconds. */
    spanMs: 7_200_000,
    /** Resultant length of phases that are one moment; independent deployments reach .84. */
    momentMin: 0.95,
    /** Phases that moved by more than this, of the period, have begun again. */
    restartMoveMin: 0.05,
    /** Resultant length of the phases before: above it they are one moment, not a constellation. */
    restartSpreadMax: 0.9,
    /** Seconds around the full minute that crons share. */
    clockSeconds: 20,
    /** One process .8-1.0 of the keys and 2-9 events; templates at most .63. One outage of a host looks alike: one event. */
    fateShareMin: 0.7,
    fateEventsMin: 2,
    fateZMin: 30,
    fateShifts: 200,
  },
  spells: {
    gapMs: 20_000,
    gapMedians: 8,
    requestsMin: 5,
    beforeMs: 5000,
    afterMs: 30_000,
    hitsMin: 5,
    /** 400 shifts can say at most 8.6 bits. */
    shifts: 400,
    linkBits: 5,
    /** Share of hits in the rarer direction: who is followed does not follow back. */
    backMin: 0.15,
    ringAppsMax: 12,
    ringShifts: 100,
    ringZMin: 6,
    /** Members of a ring do the same: log2 Bayes factor of their mixes. */
    ringMixBits: 2,
    /** A ring of two has one coincidence only. */
    pairZMin: 12,
    ringRatioMin: 2,
    /** Overlap of those that take turns: hardly above chance. */
    turnsZMax: 1,
    overlapZMax: -4,
    overlapRatioMax: 0.3,
    /** Apps with spells that are compared by time: the busiest. */
    appsMax: 400,
  },
  alternation: {
    /** Neighbours further apart than this are no alternation, milliseconds. */
    gapMs: 60_000,
    /** Requests a stretch: labels are shuffled within. */
    stretch: 40,
    zMin: 5,
    /** Median gaps before the requests of each key, longest over shortest: 1 for a round; a follower of steady requests reaches 3.7. */
    gapRatioMax: 3,
    /** Shifts of each kind under which alternation must be lost. */
    shifts: 4,
    /** Switches that go to one and the same next key, from which on it is a round. */
    roundMin: 0.7,
    failoverP: 1e-6,
    /** Draws of shifts for co-activity, and the deviation from which on keys have one rhythm. */
    draws: 12,
    coActivityZMin: 6,
    /** Pairs nearly one whose requests are read, and how far from one they may be, bits. */
    pairsMax: 300,
    nearBits: 10,
    /** -log2 of what an alternation of z says is z * z / (2 ln 2); by experience no more than this. */
    capBits: 10,
  },
  ledgers: {
    /** Prior of one operator: 1 in (apps * 2^this) for a given other app. */
    operatorPriorBits: 2,
    /** Prior of one use case among apps of one operator: 1 in 3. */
    useCasePriorBits: 1.5,
    /** Pairs that contradict each other this much in what they do are strangers: they measure u. */
    strangersMixBits: -4,
    /** Share of strangers whose mixes contradict each other: the rest are alike by chance, or too small to say. */
    strangersSeenShare: 0.6,
    placeM: {
      'two/most': 0.1,
      'two/much': 0.05,
      'two/some': 0.03,
      'two/trace': 0.02,
      'few/most': 0.2,
      'few/much': 0.08,
      'few/some': 0.04,
      'few/trace': 0.02,
      'several/most': 0.2,
      'several/much': 0.1,
      'several/some': 0.05,
      'several/trace': 0.02,
      'many/most': 0.08,
      'many/much': 0.06,
      'many/some': 0.04,
      'many/trace': 0.02,
    },
    usersM: {
      'most/many': 0.15,
      'most/few': 0.03,
      'much/many': 0.06,
      'much/few': 0.02,
      'some/many': 0.05,
      'some/few': 0.02,
      'trace/many': 0.03,
      'trace/few': 0.02,
    },
    familyCapBits: 14,
    timingCapBits: 14,
    /** Programs, names and domains together: copied for nothing, so they never decide. */
    freeCapBits: 3,
    /** The registry says so. */
    sameOwnerBits: 20,
    sameOwnerNameBits: 4,
    usersUseCaseCapBits: 5,
    /** Less than a third of the lesser app's requests for users in common: competitors and framers reach that too. */
    fewUsersCapBits: 5,
    vetoBits: -3,
    operatorBitsMin: 2,
    useCaseBitsMin: 2,
    jointBitsMin: 6,
    /** Users in common of this many bits prove one hand behind single-user keys. */
    proofBits: 9,
    /** A signal of so many bits corroborates what the account and the mix say. */
    corroborationBits: 3,
  },
  places: {
    /** Two networks are one place from this Jaccard index of their residents on. */
    alikeMin: 0.5,
  },
  groups: {
    /** A stream with fewer requests says nothing of a mix. */
    requestsMin: 8,
    seedBits: 2,
    seedsMax: 150,
    othersMax: 60,
    memberBits: 0,
    letInBits: 3,
    rounds: 4,
    /** Strangers reached 14 bits in 273 groups; several hundred places are asked. */
    surpriseMin: 20,
    /** Where nobody else runs there is no choice of members to pay for. */
    exclusiveSurpriseMin: 15,
    mergeShareMin: 0.3,
    /** From so many residents on a place is one where strangers live. */
    crowdMin: 4,
  },
  networks: {
    /** A household or a phone: a network where an app of more users is seen with at most this many of them is theirs, not the app's. */
    lineUsersMax: 3,
  },
  evidence: {
    /** Strangers and registries are finite, and no world is like the one before: no statement is surer than this. */
    probabilityMax: 0.99,
  },
  clusters: {
    /** Of the possible links between two sides, the share that must be accepted before they are one. */
    linkShareMin: 0.34,
  },
  succession: {
    /** Old app to its successor: P(a request of A comes before one of B) this near to 0 or 1 … */
    precedenceMin: 0.95,
    /** … or traffic shifts steadily from one to the other: a rank correlation that chance gives once in 10^5 over 24 hours … */
    trendMin: 0.8,
    /** … or this share of the users that both serve moved over one way, of at least this many. */
    usersMovedMin: 0.9,
    usersMin: 8,
  },
  policy: {
    /** A member stands on common users when this share of the members does, on common places likewise. */
    standingUsersMin: 0.4,
    standingPlacesMin: 0.6,
    standingShare: 0.1,
    standingShareMin: 0.02,
    /** Production's own people (abusers: nearly the same) or a few testers. */
    environmentUsersMin: 0.25,
    environmentLoadMin: 0.3,
    environmentGainMin: 1.2,
    /** The gain that one account's duplicates need. */
    gainMin: 1,
    /** A stream is unlike its own life elsewhere when the life explains it worse than the prior alone does, log2. */
    borrowedBitsMax: 0,
    borrowedMin: 4,
    /** Share of members whose streams are unlike their lives; templates on a pool reach .82-.92, but their lives are alike. */
    borrowedShareMin: 0.6,
    livesAlikeMax: 0.35,
    environmentAppsMax: 3,
    endUserKeysMin: 5,
    /** Nearly all members of a cluster of keys, each of a person, are single-user apps of different people and owners. */
    keyPerUserShareMin: 0.8,
    /** A single-user app has this share of its user traffic for one user. */
    singleUserShareMin: 0.9,
    /** Service for many: at least this many users in the median app. */
    manyUsersMin: 10,
    /** Users are partitioned when at most this share of the cluster's users is seen in more than one of its apps. */
    partitionSharedMax: 0.1,
  },
  gain: {
    /** Limit window when the logs do not show it: 15 minutes, the published platform's. Seconds. */
    windowSeconds: 900,
  },
  registry: {
    /** A domain or a word of more apps than this is common property. */
    appsMax: 25,
  },
  userAgents: {
    shareMin: 0.2,
    /** A user agent of more apps than this is a public program, whatever share of a large platform it is. */
    appsMax: 30,
  },
  patterns: {
    defaultUserAgents: DEFAULT_USER_AGENTS,
    emptyWords: EMPTY_WORDS,
    emptyDomains: EMPTY_DOMAINS,
    hostingSuffixes: HOSTING_SUFFIXES,
  },
} as const

/** Parts of the detector that an ablation can leave out. */
export const PARTS = [
  'groups',
  'hand_over',
  'alternation',
  'one_process',
  'borrowed',
  'standing',
  'users',
  'places',
  'route_mix',
  'materiality',
] as const
export type Part = (typeof PARTS)[number]

/** Parts that are asked only when a cluster is judged: the clusters are drafted without them. */
export const JUDGEMENT_PARTS: ReadonlySet<Part> = new Set(['one_process', 'borrowed', 'standing', 'materiality'])

export type Tuning = typeof TUNING

/** First 16 hexadecimal digits of the SHA-256 of a tuning: which settings made a finding. */
export function tuningHash(tuning: Tuning): string {
  return createHash('sha256').update(JSON.stringify(tuning)).digest('hex').slice(0, 16)
}
