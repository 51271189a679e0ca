/**
 * Places: networks that are one for whoever uses them, because the same apps are met on all of them. The addresses of one cloud egress, one
 * proxy pool or one operator's servers carry a few requests of each app; together they show what the apps do there.
 *
 * Leader clustering in the order of traffic: a network joins the first place whose residents it shares (Jaccard index of apps, both
 * ways of chance included), never two places each other, so one wandering app chains nothing.
 */
import { pool } from '../evidence/route-mix.ts'
import type { Counts, Snapshot, Stream } from './snapshot.ts'

/** What one app does at one place: the unit of evidence. */
export interface PlaceStream {
  readonly app: number
  readonly place: number
  readonly mix: Counts
  readonly agents: Counts
  /** Of the app's requests, 0..1. */
  readonly share: number
  readonly isPersonal: boolean
  /** Networks of the place that the app uses. */
  readonly networks: number
  /** End users seen, summed over networks: an upper bound. */
  readonly users: number
}

export interface Place {
  readonly id: number
  /** Numbers of its networks, busiest first. */
  readonly networks: readonly number[]
  readonly streams: readonly PlaceStream[]
  /** Streams that are no lines of people. */
  readonly residents: readonly PlaceStream[]
}

interface Draft {
  readonly networks: number[]
  readonly apps: Map<number, number>
}

function jaccard(apps: ReadonlySet<number>, draft: Draft): number {
  let common = 0
  for (const app of apps) if (draft.apps.has(app)) common += 1
  // Apps that only brush the place (seen on one of its many networks) do not count against it.
  const steady = draft.apps.values().reduce((sum, seen) => sum + (seen * 3 >= draft.networks.length ? 1 : 0), 0)
  return common / Math.max(1, apps.size + Math.max(steady, common) - common)
}

function mergeStreams(place: number, streams: readonly Stream[]): PlaceStream {
  const [first] = streams
  if (first === undefined) throw new Error('a place stream without streams')
  if (streams.length === 1) {
    const { app, mix, agents, share, isPersonal, users } = first
    return { app, place, mix, agents, share, isPersonal, networks: 1, users }
  }
  const sum = (of: (stream: Stream) => number): number => streams.reduce((total, stream) => total + of(stream), 0)
  return {
    app: first.app,
    place,
    mix: pool(streams.map((stream) => stream.mix)),
    agents: pool(streams.map((stream) => stream.agents)),
    share: sum((stream) => stream.share),
    isPersonal: sum((stream) => (stream.isPersonal ? stream.mix.total : 0)) * 2 > sum((stream) => stream.mix.total),
    networks: streams.length,
    users: sum((stream) => stream.users),
  }
}

/** Groups networks into places. `alikeMin`: Jaccard index from which on residents are the same. */
export function findPlaces(snapshot: Snapshot, alikeMin: number): Place[] {
  const traffic = snapshot.streamsOf.map((streams) => streams.reduce((sum, stream) => sum + stream.mix.total, 0))
  const order = traffic.map((_, network) => network).toSorted((x, y) => (traffic[y] ?? 0) - (traffic[x] ?? 0) || x - y)
  const drafts: Draft[] = []
  const draftsOf = new Map<number, Set<number>>()
  for (const network of order) {
    const apps = new Set((snapshot.streamsOf[network] ?? []).map((stream) => stream.app))
    const candidates = new Set<number>()
    for (const app of apps) for (const draft of draftsOf.get(app) ?? []) candidates.add(draft)
    let best: { readonly id: number; readonly alike: number } | undefined
    for (const id of candidates) {
      const draft = drafts[id]
      const alike = draft === undefined ? 0 : jaccard(apps, draft)
      if (alike < alikeMin) continue
      // Of two that are alike as much, the busier: the order of streams must not decide.
      if (best === undefined || alike > best.alike || (alike === best.alike && id < best.id)) best = { id, alike }
    }
    const id = best?.id ?? drafts.push({ networks: [], apps: new Map() }) - 1
    const draft = drafts[id]
    if (draft === undefined) continue
    draft.networks.push(network)
    for (const app of apps) {
      draft.apps.set(app, (draft.apps.get(app) ?? 0) + 1)
      const known = draftsOf.get(app)
      if (known === undefined) draftsOf.set(app, new Set([id]))
      else known.add(id)
    }
  }
  return drafts.map(({ networks }, id): Place => {
    const byApp = Map.groupBy(
      networks.flatMap((network) => snapshot.streamsOf[network] ?? []),
      (stream) => stream.app,
    )
    const streams = [...byApp.values()].map((some) => mergeStreams(id, some)).toSorted((x, y) => x.app - y.app)
    return { id, networks, streams, residents: streams.filter((stream) => !stream.isPersonal) }
  })
}
