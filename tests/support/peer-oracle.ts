/**
 * Small and random tables of who touches what, and naive answers for the published methods: every pair of apps, every object, sharing no
 * code with evaluate/peers.
 */
import * as fc from 'fast-check'
import type { Incidence } from '../../evaluate/peers/incidence.ts'

/** `{ a: 'xxy' }`: app a made two requests on x and one on y. */
export function touching(apps: Readonly<Record<string, string>>): Incidence {
  return Object.entries(apps).map(([app_id, letters]) => {
    const objects = [...new Set(letters)].toSorted()
    return { app_id, objects, requests: objects.map((object) => letters.split(object).length - 1) }
  })
}

export const tables: fc.Arbitrary<Incidence> = fc
  .dictionary(fc.constantFrom(...Array.from('abcdefgh')), fc.stringMatching(/^[p-z]{1,12}$/), {
    maxKeys: 8,
    noNullPrototype: true,
  })
  .map(touching)

interface Pair {
  readonly a: string
  readonly b: string
  readonly value: number
}

function pairs(table: Incidence, value: (one: number, other: number) => number): Pair[] {
  return table.flatMap(({ app_id: a }, one) =>
    table.slice(one + 1).map(({ app_id: b }, index) => ({ a, b, value: value(one, one + 1 + index) })),
  )
}

const objectsOf = (table: Incidence, app: number): readonly string[] => table[app]?.objects ?? []

export function commonObjects(table: Incidence): Pair[] {
  return pairs(
    table,
    (one, other) => objectsOf(table, one).filter((object) => objectsOf(table, other).includes(object)).length,
  )
}

export function jaccard(table: Incidence): Pair[] {
  return pairs(table, (one, other) => {
    const [left, right] = [objectsOf(table, one), objectsOf(table, other)]
    const all = new Set([...left, ...right])
    return [...all].filter((object) => left.includes(object) && right.includes(object)).length / all.size
  })
}

/** Dense vectors over every object of the table. */
export function cosine(table: Incidence): Pair[] {
  const vocabulary = [...new Set(table.flatMap(({ objects }) => objects))]
  const vectors = table.map(({ objects, requests }) =>
    vocabulary.map((object) => {
      const at = objects.indexOf(object)
      const degree = table.filter((row) => row.objects.includes(object)).length
      return at < 0 ? 0 : (1 + Math.log(requests[at] ?? 0)) * Math.log(table.length / degree)
    }),
  )
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((total, value, i) => total + value * (y[i] ?? 0), 0)
  return pairs(table, (one, other) => {
    const [x, y] = [vectors[one] ?? [], vectors[other] ?? []]
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)) || 0
  })
}

/** Whoever can be reached, found by walking on until nobody new comes. */
export function reachable(edges: readonly { readonly a: string; readonly b: string }[]): string[][] {
  const apps = [...new Set(edges.flatMap(({ a, b }) => [a, b]))].toSorted()
  const groups = apps.map((app) => {
    const seen = new Set([app])
    for (let before = 0; before < seen.size;) {
      before = seen.size
      for (const { a, b } of edges) if (seen.has(a) || seen.has(b)) seen.add(a).add(b)
    }
    return [...seen].toSorted()
  })
  return groups.filter(([first], index) => first === apps[index])
}
