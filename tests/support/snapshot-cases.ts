/** The analyzer's inputs in memory: apps with what they do where, and worlds of strangers whose mixes are Dirichlet draws. */
import { at, Rng } from '#simulate/random.ts'
import { pairContext, type PairContext } from '../../services/analyzer/evidence/pair-facts.ts'
import { audienceOf, MixModel, pool, temper, withAudience } from '../../services/analyzer/evidence/route-mix.ts'
import { findPlaces } from '../../services/analyzer/run/places.ts'
import type { Counts, Snapshot, SnapshotApp, Stream } from '../../services/analyzer/run/snapshot.ts'
import { TUNING } from '../../services/analyzer/tuning.ts'
import { WINDOW } from './analyzer-traffic.ts'

/** Requests by number of a route or a program. */
export function countsOf(cells: Readonly<Record<number, number>>): Counts {
  const kept = Object.entries(cells)
    .map(([key, n]) => ({ key: Number(key), n }))
    .toSorted((x, y) => x.key - y.key)
  return {
    keys: Int32Array.from(kept, ({ key }) => key),
    counts: Float64Array.from(kept, ({ n }) => n),
    total: kept.reduce((sum, { n }) => sum + n, 0),
  }
}

const NOTHING = countsOf({})

export function app(id: string, more: Partial<SnapshotApp> = {}): SnapshotApp {
  return {
    app_id: id,
    requests: 1000,
    throttled: 0,
    networks: 2,
    users: 0,
    top_user: '',
    top_user_requests: 0,
    user_requests: 0,
    owner_id: 'owner',
    name: `App ${id}`,
    description: '',
    stem: '',
    domains: [],
    created_at_ms: 0,
    limits: new Map(),
    mix: NOTHING,
    agents: NOTHING,
    ...more,
  }
}

export interface AppSketch {
  readonly id: string
  /** What it does on each network. */
  readonly on: Readonly<Record<string, Counts>>
  /** End users of each network's stream; none by default. */
  readonly usersOn?: Readonly<Record<string, number>>
  /** Networks that are lines of people. */
  readonly lines?: readonly string[]
  /** Program that it speaks as. */
  readonly agent?: string
  readonly more?: Partial<SnapshotApp>
}

/** Requests that apps make for each user, by ids. */
export type UserSketch = Readonly<Record<string, Readonly<Record<string, number>>>>

const numbered = (names: Iterable<string>): ReadonlyMap<string, number> =>
  new Map([...new Set(names)].map((name, i) => [name, i]))

function appOf({ id, on, agent, more }: AppSketch, agents: ReadonlyMap<string, number>): SnapshotApp {
  const mix = pool(Object.values(on))
  const speaks = agent === undefined ? NOTHING : countsOf({ [agents.get(agent) ?? 0]: mix.total })
  const networks = Object.keys(on).length
  return app(id, { requests: mix.total, networks, owner_id: `owner-${id}`, mix, agents: speaks, ...more })
}

/** A snapshot as readSnapshot gives it: networks of one app only have no streams. */
export function snapshotOf(sketches: readonly AppSketch[], routes: number, users: UserSketch = {}): Snapshot {
  const agents = numbered(sketches.flatMap(({ agent }) => agent ?? []))
  const all = sketches.flatMap(({ on }) => Object.keys(on))
  const shared = all.filter((name) => sketches.filter(({ on }) => name in on).length >= 2)
  const networks = numbered(shared.toSorted())
  const apps = sketches.map((sketch) => appOf(sketch, agents))
  const streamsOf = [...networks].map(([name, network]) =>
    sketches.flatMap(({ on, usersOn, lines = [], agent }, i): Stream[] => {
      const mix = on[name]
      if (mix === undefined) return []
      const speaks = agent === undefined ? NOTHING : countsOf({ [agents.get(agent) ?? 0]: mix.total })
      const share = mix.total / at(apps, i).requests
      return [
        { app: i, network, mix, agents: speaks, share, users: usersOn?.[name] ?? 0, isPersonal: lines.includes(name) },
      ]
    }),
  )
  const numbers = numbered(sketches.map(({ id }) => id))
  return {
    window: WINDOW,
    apps,
    routes: Array.from({ length: routes }, (_, i) => `/route/${i}`),
    agents: [...agents.keys()],
    networks: [...networks.keys()],
    streamsOf,
    users: Object.entries(users).map(([userId, requests]) => ({
      userId,
      apps: Object.keys(requests).map((id) => numbers.get(id) ?? -1),
      requests: Object.values(requests),
    })),
  }
}

/** The model of a snapshot in which every app stands for the platform. */
export function modelOf(snapshot: Snapshot): MixModel {
  const { routeMix } = TUNING
  const world = snapshot.apps.map(({ mix, users }) =>
    temper(withAudience(mix, audienceOf(users), snapshot.routes.length, routeMix.audienceRequests), routeMix.temper),
  )
  return new MixModel({ world, routes: snapshot.routes.length, ...routeMix })
}

export function contextOf(snapshot: Snapshot): PairContext {
  const everybody = snapshot.apps.map((_, i) => i)
  return pairContext(snapshot, findPlaces(snapshot, TUNING.places.alikeMin), modelOf(snapshot), everybody, TUNING)
}

/** Gamma(shape, 1), by Marsaglia & Tsang (2000); below 1 by the boost of U^(1 / shape). */
function gamma(shape: number, rng: Rng): number {
  if (shape < 1) return gamma(shape + 1, rng) * Math.max(1e-12, rng.next()) ** (1 / shape)
  const d = shape - 1 / 3
  for (;;) {
    const x = rng.normal()
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(Math.max(1e-300, rng.next())) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v
  }
}

/** Shares of the routes, Dirichlet(shape, ..., shape): below 1 each app uses a few of them. */
export function taste(routes: number, rng: Rng, shape = 0.2): number[] {
  const weights = Array.from({ length: routes }, () => gamma(shape, rng))
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / whole)
}

/** So many requests drawn from shares. */
export function drawn(shares: readonly number[], requests: number, rng: Rng): Counts {
  const cells: Record<number, number> = {}
  for (let i = 0; i < requests; i += 1) {
    let left = rng.next()
    const route = shares.findIndex((share) => (left -= share) <= 0)
    const key = route === -1 ? shares.indexOf(Math.max(...shares)) : route
    cells[key] = (cells[key] ?? 0) + 1
  }
  return countsOf(cells)
}

/** Apps that nothing links: servers of their own, and a taste each. */
export function strangers(count: number, routes: number, rng: Rng, prefix = 'stranger'): AppSketch[] {
  return Array.from({ length: count }, (_, i) => {
    const id = `${prefix}-${String(i).padStart(3, '0')}`
    return { id, on: { [`home-${id}`]: drawn(taste(routes, rng), rng.between(40, 200), rng) } }
  })
}
