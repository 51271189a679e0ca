/** What each app, network, user and agent of a day of traffic looks like in numbers; fed in the order of time. */

export interface Sent {
  readonly atMs: number
  readonly app: string
  readonly network: string
  readonly route: string
  readonly refused: boolean
  readonly user: string | undefined
  readonly agent: string | undefined
}

interface OfApp {
  requests: number
  refused: number
  withoutUser: number
  lastMs: number
  readonly networks: Map<string, number>
  readonly routes: Map<string, number>
  readonly users: Set<string>
  readonly agents: Set<string>
  readonly hours: Set<number>
  /** Seconds between neighbours. */
  readonly gaps: number[]
}

/** Apps with fewer requests say nothing about gaps. */
const REQUESTS_FOR_GAPS = 100
/** Gaps beyond this are between polls rather than inside one, seconds. */
const POLL_GAP_SECONDS = 30

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN
}

/** Standard deviation over mean. */
function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return Math.sqrt(square) / mean
}

/** exp of the entropy: with how many equally used routes the mix would be as spread. */
function effectiveNumber(counts: Map<string, number>, total: number): number {
  const entropy = counts.values().reduce((sum, value) => sum - (value / total) * Math.log(value / total), 0)
  return Math.exp(entropy)
}

/** Share of the gaps between polls that are within a tenth of their median, 0..1. */
function regularity(gaps: readonly number[]): number[] {
  const polls = gaps.filter((gap) => gap > POLL_GAP_SECONDS)
  if (polls.length < 20) return []
  const usual = median(polls)
  return [polls.filter((gap) => Math.abs(gap - usual) <= usual / 10).length / polls.length]
}

/** How many different apps each key of `keysOf` occurs with. */
function appsOf(all: readonly OfApp[], keysOf: (app: OfApp) => Iterable<string>): number[] {
  const apps = new Map<string, number>()
  for (const app of all) for (const key of keysOf(app)) count(apps, key)
  return [...apps.values()]
}

export class AppTally {
  requests = 0
  private readonly byApp = new Map<string, OfApp>()

  get apps(): number {
    return this.byApp.size
  }

  add(sent: Sent): void {
    const app = this.byApp.get(sent.app) ?? this.open(sent.app)
    if (app.requests > 0) app.gaps.push((sent.atMs - app.lastMs) / 1_000)
    this.requests += 1
    app.requests += 1
    app.lastMs = sent.atMs
    if (sent.refused) app.refused += 1
    if (sent.user === undefined) app.withoutUser += 1
    else app.users.add(sent.user)
    if (sent.agent !== undefined) app.agents.add(sent.agent)
    count(app.networks, sent.network)
    count(app.routes, sent.route)
    app.hours.add(Math.floor(sent.atMs / 3_600_000))
  }

  private open(id: string): OfApp {
    const app: OfApp = {
      requests: 0,
      refused: 0,
      withoutUser: 0,
      lastMs: 0,
      networks: new Map(),
      routes: new Map(),
      users: new Set(),
      agents: new Set(),
      hours: new Set(),
      gaps: [],
    }
    this.byApp.set(id, app)
    return app
  }

  /** Values by the name of their distribution. */
  distributions(): Map<string, readonly number[]> {
    const all = [...this.byApp.values()]
    const busy = all.filter((app) => app.requests >= REQUESTS_FOR_GAPS)
    return new Map<string, readonly number[]>([
      ['requests of an app', all.map((app) => app.requests)],
      ['networks of an app', all.map((app) => app.networks.size)],
      ['share of its busiest network', all.map((app) => Math.max(...app.networks.values()) / app.requests)],
      ['apps of a network', appsOf(all, (app) => app.networks.keys())],
      ['users of an app', all.map((app) => app.users.size)],
      ['apps of a user', appsOf(all, (app) => app.users)],
      ['share without a user', all.map((app) => app.withoutUser / app.requests)],
      ['routes of an app', all.map((app) => app.routes.size)],
      ['effective routes', all.map((app) => effectiveNumber(app.routes, app.requests))],
      ['agents of an app', all.map((app) => app.agents.size)],
      ['apps of an agent', appsOf(all, (app) => app.agents)],
      ['share refused', all.map((app) => app.refused / app.requests)],
      ['hours active', all.map((app) => app.hours.size)],
      ['median gap, s', busy.map((app) => median(app.gaps))],
      ['variation of gaps', busy.map((app) => variation(app.gaps))],
      ['regularity of polls', busy.flatMap((app) => regularity(app.gaps))],
    ])
  }
}
