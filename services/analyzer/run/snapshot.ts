/**
 * What one analysis looks at, read once from the rollups: apps with their registry entries and route mixes, the streams on networks that
 * several apps use, programs, and users in common. Apps, networks, routes and programs are numbered from 0 in the order of their names, so
 * that the order of input never changes a result. Read-only; nothing is written to the store.
 */
import { z } from 'zod'

import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Tuning } from '../tuning.ts'
import { dateTimeParam, type Window } from './window.ts'

const SpanParams = z.object({ from: z.string(), to: z.string() })

export const snapshotAppsQuery = {
  name: 'snapshot/apps',
  params: SpanParams.extend({ empty_words: z.string(), empty_domains: z.string(), hosting_suffixes: z.string() }),
  row: z.object({
    app_id: z.string(),
    requests: z.number(),
    throttled: z.number(),
    networks: z.number(),
    users: z.number(),
    top_user: z.string(),
    top_user_requests: z.number(),
    user_requests: z.number(),
    owner_id: z.string(),
    name: z.string(),
    description: z.string(),
    stem: z.string(),
    domains: z.array(z.string()),
    created_at_ms: z.number(),
    limit_routes: z.array(z.string()),
    limit_values: z.array(z.number()),
  }),
} as const
export const snapshotAppRoutesQuery = {
  name: 'snapshot/app-routes',
  params: SpanParams,
  row: z.object({ app_id: z.string(), routes: z.array(z.string()), counts: z.array(z.number()) }),
} as const
export const snapshotStreamsQuery = {
  name: 'snapshot/streams',
  params: SpanParams,
  row: z.object({
    network: z.string(),
    app_id: z.string(),
    routes: z.array(z.string()),
    counts: z.array(z.number()),
    users: z.number(),
  }),
} as const
export const snapshotStreamAgentsQuery = {
  name: 'snapshot/stream-agents',
  params: SpanParams,
  row: z.object({ network: z.string(), app_id: z.string(), agents: z.array(z.string()), counts: z.array(z.number()) }),
} as const
export const snapshotAppAgentsQuery = {
  name: 'snapshot/app-agents',
  params: SpanParams,
  row: z.object({ app_id: z.string(), agents: z.array(z.string()), counts: z.array(z.number()) }),
} as const
export const snapshotSharedUsersQuery = {
  name: 'snapshot/shared-users',
  params: SpanParams,
  row: z.object({ user_id: z.string(), app_ids: z.array(z.string()), counts: z.array(z.number()) }),
} as const

/** Requests by something numbered (a route, a program): ascending keys with their counts. */
export interface Counts {
  readonly keys: Int32Array
  readonly counts: Float64Array
  readonly total: number
}

export interface SnapshotApp extends Omit<z.infer<typeof snapshotAppsQuery.row>, 'limit_routes' | 'limit_values'> {
  readonly limits: ReadonlyMap<string, number>
  /** By route. */
  readonly mix: Counts
  /** By program; requests without a user agent are left out. */
  readonly agents: Counts
}

/** What one app does from one network. */
export interface Stream {
  readonly app: number
  readonly network: number
  readonly mix: Counts
  readonly agents: Counts
  /** Of the app's requests, 0..1. */
  readonly share: number
  /** End users seen, by linear counting. */
  readonly users: number
  /** The line of one or a few of the app's many users: not a place where the app runs. */
  readonly isPersonal: boolean
}

export interface SharedUser {
  readonly userId: string
  readonly apps: readonly number[]
  readonly requests: readonly number[]
}

export interface Snapshot {
  readonly window: Window
  readonly apps: readonly SnapshotApp[]
  readonly routes: readonly string[]
  readonly agents: readonly string[]
  readonly networks: readonly string[]
  /** By network, streams of each in the order of apps. Networks of one app only are left out. */
  readonly streamsOf: readonly (readonly Stream[])[]
  readonly users: readonly SharedUser[]
}

class Numbering {
  private readonly numbers = new Map<string, number>()
  readonly names: string[] = []
  numberOf(name: string): number {
    const known = this.numbers.get(name)
    if (known !== undefined) return known
    this.numbers.set(name, this.names.length)
    this.names.push(name)
    return this.names.length - 1
  }
}

const NOTHING: Counts = { keys: new Int32Array(0), counts: new Float64Array(0), total: 0 }

function countsOf(names: readonly string[], counts: readonly number[], numbering: Numbering): Counts {
  const cells = names.map((name, i) => ({ key: numbering.numberOf(name), n: counts[i] ?? 0 }))
  cells.sort((x, y) => x.key - y.key)
  return {
    keys: Int32Array.from(cells, (cell) => cell.key),
    counts: Float64Array.from(cells, (cell) => cell.n),
    total: counts.reduce((sum, n) => sum + n, 0),
  }
}

/** A few users' line in an app of many users, none of whom makes most of its requests. */
function isLine(app: SnapshotApp, users: number, { networks }: Tuning): boolean {
  return (
    users > 0 &&
    users <= networks.lineUsersMax &&
    2 * users < app.users &&
    app.users > networks.lineUsersMax &&
    2 * app.top_user_requests < app.user_requests
  )
}

export async function readSnapshot(clickhouse: ClickHouse, window: Window, tuning: Tuning): Promise<Snapshot> {
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const { emptyWords, emptyDomains, hostingSuffixes } = tuning.patterns
  const words = { empty_words: emptyWords, empty_domains: emptyDomains, hosting_suffixes: hostingSuffixes }
  const routes = new Numbering()
  const agents = new Numbering()
  const networks = new Numbering()
  const mixes = new Map(
    (await clickhouse.query(snapshotAppRoutesQuery, span)).map((row) => [
      row.app_id,
      countsOf(row.routes, row.counts, routes),
    ]),
  )
  const programs = new Map(
    (await clickhouse.query(snapshotAppAgentsQuery, span)).map((row) => [
      row.app_id,
      countsOf(row.agents, row.counts, agents),
    ]),
  )
  const appOf = ({ limit_routes, limit_values, ...app }: z.infer<typeof snapshotAppsQuery.row>): SnapshotApp => {
    const limits = new Map(limit_routes.map((route, i) => [route, limit_values[i] ?? 0]))
    const mix = mixes.get(app.app_id) ?? NOTHING
    return { ...app, limits, mix, agents: programs.get(app.app_id) ?? NOTHING }
  }
  const apps = (await clickhouse.query(snapshotAppsQuery, { ...span, ...words })).map(appOf)
  const numberOf = new Map(apps.map((app, i) => [app.app_id, i]))
  const streamAgents = new Map(
    (await clickhouse.query(snapshotStreamAgentsQuery, span)).map((row) => [
      `${row.network} ${row.app_id}`,
      countsOf(row.agents, row.counts, agents),
    ]),
  )
  const streamsOf: Stream[][] = []
  for (const row of await clickhouse.query(snapshotStreamsQuery, span)) {
    const app = numberOf.get(row.app_id)
    const registered = app === undefined ? undefined : apps[app]
    if (app === undefined || registered === undefined) continue
    const network = networks.numberOf(row.network)
    const mix = countsOf(row.routes, row.counts, routes)
    const streams = (streamsOf[network] ??= [])
    streams.push({
      app,
      network,
      mix,
      agents: streamAgents.get(`${row.network} ${row.app_id}`) ?? NOTHING,
      share: mix.total / registered.requests,
      users: row.users,
      isPersonal: isLine(registered, row.users, tuning),
    })
  }
  const users = (await clickhouse.query(snapshotSharedUsersQuery, span)).map((row): SharedUser => ({
    userId: row.user_id,
    apps: row.app_ids.map((id) => numberOf.get(id) ?? -1),
    requests: row.counts,
  }))
  return { window, apps, routes: routes.names, agents: agents.names, networks: networks.names, streamsOf, users }
}
