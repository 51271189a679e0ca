/** The room of a cluster: the places where a good part of its members run, what they do there, and who else does. */
import type { PairContext } from '../evidence/pair-facts.ts'
import { pool } from '../evidence/route-mix.ts'
import type { PlaceStream } from '../run/places.ts'
import type { Counts } from '../run/snapshot.ts'

export interface Room {
  /** Numbers of the places where at least a tenth of the members, and at least two, run. */
  readonly places: ReadonlySet<number>
  /** By app number: its streams there, where it has any. */
  readonly streams: ReadonlyMap<number, readonly PlaceStream[]>
}

export function roomOf({ residences }: PairContext, members: readonly number[]): Room {
  const seen = new Map<number, number>()
  for (const app of members)
    for (const place of residences[app]?.keys() ?? []) seen.set(place, (seen.get(place) ?? 0) + 1)
  const least = Math.max(2, Math.ceil(members.length / 10))
  const places = new Set([...seen].flatMap(([place, count]) => (count >= least ? [place] : [])))
  const streams = new Map(
    members.flatMap((app) => {
      const here = [...(residences[app] ?? [])].flatMap(([place, stream]) => (places.has(place) ? [stream] : []))
      return here.length === 0 ? [] : [[app, here] as const]
    }),
  )
  return { places, streams }
}

/** Of each member by id, the most end users seen on one network of the room. */
export function usersIn({ snapshot }: PairContext, { streams }: Room): Map<string, number> {
  return new Map(
    [...streams].map(([app, here]) => [
      snapshot.apps[app]?.app_id ?? '',
      Math.max(...here.map((stream) => stream.users / stream.networks)),
    ]),
  )
}

/** What each member does in the room, by app number. */
export function mixesIn({ streams }: Room): Map<number, Counts> {
  return new Map([...streams].map(([app, here]) => [app, pool(here.map((stream) => stream.mix))]))
}

/** Addresses of the room, and the other residents there, ascending. */
export function surroundings(
  { snapshot, places }: PairContext,
  room: Room,
): { readonly networks: readonly string[]; readonly others: readonly number[] } {
  const networks = new Set<string>()
  const others = new Set<number>()
  for (const id of room.places) {
    const place = places[id]
    if (place === undefined) continue
    for (const network of place.networks) networks.add(snapshot.networks[network] ?? '')
    for (const stream of place.residents) if (!room.streams.has(stream.app)) others.add(stream.app)
  }
  return { networks: [...networks], others: [...others].toSorted((x, y) => x - y) }
}
