/** The waterfall of a pair's two ledgers: each entry with what was observed, what chance gives, and the words for it. */
import type { Evidence, Ledger } from '#schemas/finding.ts'
import type { Candidates } from '../clusters/candidates.ts'
import { isOne, placeKey, usersKey, type LedgerEntry, type PairLedgers } from '../evidence/ledgers.ts'
import type { CommonPlace, PairContext, PairFacts } from '../evidence/pair-facts.ts'
import { pool } from '../evidence/route-mix.ts'
import { FAMILY_OF } from '../judgement/confidence.ts'
import type { Counts } from '../run/snapshot.ts'
import { median } from '../statistics.ts'
import type { Part } from '../tuning.ts'
import { quoted } from '#lib/printable.ts'
import { address, addresses, amount, oneIn, percent } from './words.ts'

type Measured = Pick<Evidence, 'observed' | 'expected' | 'unit' | 'p' | 'statement' | 'query'>

const NOTHING_LEFT_OUT: ReadonlySet<Part> = new Set()

const NOTHING: Counts = { keys: new Int32Array(0), counts: new Float64Array(0), total: 0 }

/** Sum over routes of the lesser share, 0..1. */
export function overlap(one: Counts, other: Counts): number {
  const shares = new Map([...other.keys].map((key, i) => [key, (other.counts[i] ?? 0) / Math.max(1, other.total)]))
  return [...one.keys].reduce(
    (sum, key, i) => sum + Math.min((one.counts[i] ?? 0) / Math.max(1, one.total), shares.get(key) ?? 0),
    0,
  )
}

/** The place that the ledger speaks of. */
function strongestPlace(facts: PairFacts): CommonPlace | undefined {
  const wanted = placeKey(facts)
  return facts.places.find((place) => placeKey({ ...facts, places: [place] }) === wanted)
}

export function placeWords(context: PairContext, { place }: CommonPlace): string {
  const [busiest = 0] = place.networks
  const more = place.networks.length - 1
  const at = address(context.snapshot.networks[busiest] ?? '')
  return more === 0 ? at : `${at} and ${addresses(more)} that the same apps use`
}

function placeMeasured(context: PairContext, facts: PairFacts, bits: number): Measured {
  const found = strongestPlace(facts)
  const key = placeKey(facts) ?? ''
  const m = new Map(Object.entries(context.tuning.ledgers.placeM)).get(key) ?? 1
  const u = m * 2 ** -bits
  const share = found === undefined ? 0 : Math.min(found.shareA, found.shareB)
  const where = found === undefined ? 'a common place' : placeWords(context, found)
  const residents = found?.place.residents.length ?? 2
  const who = residents <= 2 ? 'where no other app runs' : `where ${residents} apps run`
  return {
    observed: share,
    expected: null,
    unit: "share of the app's requests made there, the lesser of the two",
    p: Math.min(1, u),
    statement: `both run at ${where}, ${who}: at least ${percent(share)} of each one's requests; of unrelated pairs on this platform ${oneIn(-Math.log2(u))} have as much in common`,
    query: 'sql/queries/snapshot/streams.sql',
  }
}

function usersMeasured(context: PairContext, facts: PairFacts): Measured {
  const { users = 0, expected = 0, p = 1, share = 0 } = facts.users ?? {}
  const level = usersKey(facts) ?? ''
  const most = level.startsWith('most') ? ': a copy serves the same people, a competitor shares some of them' : ''
  return {
    observed: users,
    expected: Math.max(expected, context.tuning.users.expectedMin),
    unit: 'end users whom both act for',
    p,
    statement: `both act for the same ${amount(users)} end users, where chance gives ${amount(expected)}; they are at least ${percent(share)} of each one's requests made for a user${most}`,
    query: 'sql/queries/snapshot/shared-users.sql',
  }
}

function handOverMeasured({ handOvers }: Candidates, facts: PairFacts): Measured {
  const found = handOvers.get(`${facts.a} ${facts.b}`)
  const { hits = 0, expected = 0, bits = 0, back = 0 } = found ?? {}
  return {
    observed: hits,
    expected,
    unit: 'times that one fell silent and the other began',
    p: 2 ** -bits,
    statement: `${amount(hits)} times one fell silent and the other began within half a minute, where shifted times give ${amount(expected)}; ${percent(back)} of them in the rarer direction, so neither just follows the other`,
    query: 'sql/queries/snapshot/request-times.sql',
  }
}

function alternationMeasured(bits: number): Measured {
  return {
    observed: Math.sqrt(bits * 2 * Math.LN2),
    expected: 0,
    unit: 'standard deviations fewer repeats than a shuffle gives',
    p: 2 ** -bits,
    statement:
      'request by request they go from one to the other and back, as one process does that goes round its keys; shifted against each other in time they no longer do, so it is no accident of their pace',
    query: 'sql/queries/snapshot/request-times.sql',
  }
}

function mixMeasured(context: PairContext, facts: PairFacts, bits: number): Measured {
  const { snapshot, worldApps, residences } = context
  const on = facts.mixScope === 'common networks' ? facts.places.map(({ place }) => place.id) : []
  const mixOf = (app: number): Counts =>
    on.length === 0
      ? (snapshot.apps[app]?.mix ?? NOTHING)
      : pool(on.flatMap((place) => residences[app]?.get(place)?.mix ?? []))
  const mine = mixOf(facts.a)
  const observed = overlap(mine, mixOf(facts.b))
  const others = worldApps.filter((app) => app !== facts.a && app !== facts.b)
  const typical =
    others.length === 0 ? 0 : median(others.map((app) => overlap(mine, snapshot.apps[app]?.mix ?? NOTHING)))
  const where = on.length === 0 ? '' : ' from their common addresses'
  // The factor is capped by the number of apps that it was compared with.
  const least = Math.abs(bits) >= Math.log2(Math.max(2, worldApps.length)) - 0.01 ? 'at least ' : ''
  const factor = `${least}${amount(2 ** Math.abs(bits))} times ${bits >= 0 ? 'better' : 'worse'}`
  return {
    observed,
    expected: typical,
    unit: 'share of requests to the same routes',
    p: null,
    statement: `${percent(observed)} of their requests${where} go to the same routes in the same proportion, for the same kind of audience (with a typical app: ${percent(typical)}); what one does explains the other ${factor} than what the platform's other apps do`,
    query: on.length === 0 ? 'sql/queries/snapshot/app-routes.sql' : 'sql/queries/snapshot/streams.sql',
  }
}

function registryMeasured(context: PairContext, facts: PairFacts, signal: LedgerEntry['signal']): Measured {
  const { snapshot, stemDegree, domainDegree } = context
  const [one, other] = [snapshot.apps[facts.a], snapshot.apps[facts.b]]
  const domain = one?.domains.find((name) => other?.domains.includes(name) === true) ?? ''
  const owner = snapshot.apps.filter((app) => app.owner_id !== '' && app.owner_id === one?.owner_id).length
  const [degree, statement] =
    signal === 'owner'
      ? [owner, `one account registered both (and ${owner} of the ${snapshot.apps.length} active apps)`]
      : signal === 'name'
        ? [
            stemDegree.get(one?.stem ?? '') ?? 0,
            `both are named ${quoted(one?.stem ?? '')}, apart from words such as dev, test, bot; anyone can choose a name`,
          ]
        : [
            domainDegree.get(domain) ?? 0,
            `both are registered with the domain ${quoted(domain)}; anyone can write it into a form`,
          ]
  return {
    observed: degree,
    expected: null,
    unit: `apps with it, of ${snapshot.apps.length}`,
    p: Math.min(1, degree / Math.max(1, snapshot.apps.length)),
    statement,
    query: 'sql/queries/snapshot/apps.sql',
  }
}

function agentMeasured({ snapshot, agentDegree }: PairContext, facts: PairFacts): Measured {
  const degree = agentDegree.get(snapshot.agents.indexOf(facts.agent ?? '')) ?? 2
  return {
    observed: degree,
    expected: null,
    unit: `apps that speak as it, of ${snapshot.apps.length}`,
    p: Math.min(1, degree / Math.max(1, snapshot.apps.length)),
    statement: `both speak as ${quoted(facts.agent ?? '')}, as ${degree} of ${snapshot.apps.length} apps do; anyone can copy it, so it counts for little`,
    query: 'sql/queries/snapshot/stream-agents.sql',
  }
}

type Measure = (candidates: Candidates, facts: PairFacts, bits: number) => Measured

const MEASURES: Readonly<Record<LedgerEntry['signal'], Measure>> = {
  place: ({ context }, facts, bits) => placeMeasured(context, facts, bits),
  users: ({ context }, facts) => usersMeasured(context, facts),
  hand_over: handOverMeasured,
  alternation: (_, _facts, bits) => alternationMeasured(bits),
  mix: ({ context }, facts, bits) => mixMeasured(context, facts, bits),
  agent: ({ context }, facts) => agentMeasured(context, facts),
  owner: ({ context }, facts) => registryMeasured(context, facts, 'owner'),
  name: ({ context }, facts) => registryMeasured(context, facts, 'name'),
  domain: ({ context }, facts) => registryMeasured(context, facts, 'domain'),
}

/** Both ledgers of a pair, each entry largest first. Statements are harmless text (lib/printable.ts). */
export function pairEvidence(link: PairLedgers, candidates: Candidates): Evidence[] {
  const item = (question: Ledger['question'], { signal, bits }: LedgerEntry): Evidence => {
    const named = question === 'one_operator' ? signal : `use_case_${signal}`
    const found = MEASURES[signal](candidates, link.facts, bits)
    return { signal: named, family: FAMILY_OF[signal], ...found, bits: round(bits), question }
  }
  const items = (question: Ledger['question'], entries: readonly LedgerEntry[]): Evidence[] =>
    entries.toSorted((x, y) => Math.abs(y.bits) - Math.abs(x.bits)).map((entry) => item(question, entry))
  return [...items('one_operator', link.operator), ...items('one_use_case', link.useCase)]
}

/** Prior and total of both ledgers of a pair. */
export function pairLedgers(link: PairLedgers, { context }: Candidates): Ledger[] {
  const isLinked = isOne(link, NOTHING_LEFT_OUT, context.tuning)
  const apps = [link.facts.a, link.facts.b].map((app) => context.snapshot.apps[app]?.app_id ?? '')
  const ledger = (question: Ledger['question'], entries: readonly LedgerEntry[], total: number): Ledger => ({
    question,
    apps,
    prior_bits: round(entries.reduce((left, { bits }) => left - bits, total)),
    total_bits: round(total),
    is_linked: isLinked,
  })
  return [
    ledger('one_operator', link.operator, link.operatorBits),
    ledger('one_use_case', link.useCase, link.useCaseBits),
  ]
}

const round = (bits: number): number => Math.round(bits * 100) / 100
