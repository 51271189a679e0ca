/**
 * Which app touches which object (address, route, user agent, action), and how alike two apps are by what they touch. Pure.
 *
 * Pairs are counted along an inverted index, one app at a time, so memory grows with apps and cells, not with pairs of apps; time grows with
 * the pairs that share an object, which is all pairs when everybody calls one route.
 */
import type { Edge } from './communities.ts'

/** What one app touches: `objects` without repeats, `requests[i]` requests on `objects[i]`. */
export interface AppObjects {
  readonly app_id: string
  readonly objects: readonly string[]
  readonly requests: readonly number[]
}

/** One row for each app. */
export type Incidence = readonly AppObjects[]

interface Touch {
  readonly app: number
  readonly weight: number
}

/** What an app touches, each object with its weight and everyone who touches it. */
interface Cell {
  readonly weight: number
  readonly touches: readonly Touch[]
}

/** Weight of one cell: `requests` on an object that `degree` of the `apps` apps touch. */
type Weigh = (requests: number, degree: number) => number

function cellsOf(incidence: Incidence, weigh: Weigh): Cell[][] {
  const degrees = new Map<string, number>()
  for (const { objects } of incidence) {
    for (const object of objects) degrees.set(object, (degrees.get(object) ?? 0) + 1)
  }
  const touching = new Map<string, Touch[]>()
  return incidence.map(({ objects, requests }, app) =>
    objects.map((object, index) => {
      const weight = weigh(requests[index] ?? 0, degrees.get(object) ?? 1)
      const touches = touching.get(object) ?? []
      touching.set(object, touches)
      touches.push({ app, weight })
      return { weight, touches }
    }),
  )
}

/**
 * Sum over common objects of the product of the weights, for each pair of apps that have one, turned into a similarity by `similarity`.
 * Pairs below `min` are left out, so that a platform whose apps all share one route does not fill the memory.
 */
function similarPairs(
  incidence: Incidence,
  weigh: Weigh,
  similarity: (common: number, one: readonly Cell[], other: readonly Cell[]) => number,
  min: number,
): Edge[] {
  const cells = cellsOf(incidence, weigh)
  const edges: Edge[] = []
  const common = new Float64Array(incidence.length)
  for (const [one, own] of cells.entries()) {
    const met: number[] = []
    for (const { weight, touches } of own) {
      for (const touch of touches) {
        if (touch.app <= one) continue
        if (common[touch.app] === 0) met.push(touch.app)
        common[touch.app] = (common[touch.app] ?? 0) + weight * touch.weight
      }
    }
    for (const other of met) {
      const weight = similarity(common[other] ?? 0, own, cells[other] ?? [])
      common[other] = 0
      const [a, b] = [incidence[one]?.app_id, incidence[other]?.app_id]
      if (weight >= min && a !== undefined && b !== undefined) edges.push({ a, b, weight })
    }
  }
  return edges
}

/** Pairs with |A ∩ B| >= `min` objects in common, weighted by that number. */
export function commonObjectPairs(incidence: Incidence, min: number): Edge[] {
  return similarPairs(
    incidence,
    () => 1,
    (common) => common,
    min,
  )
}

/** Pairs with a Jaccard index |A ∩ B| / |A ∪ B| of at least `min` (0..1), weighted by it. */
export function jaccardPairs(incidence: Incidence, min: number): Edge[] {
  return similarPairs(incidence, () => 1, jaccardIndex, min)
}

function jaccardIndex(common: number, one: readonly Cell[], other: readonly Cell[]): number {
  return common / (one.length + other.length - common)
}

/**
 * Pairs whose TF-IDF vectors (Salton & Buckley 1988) have a cosine of at least `min` (0..1), weighted by it. The weight of an object is
 * (1 + ln requests) · ln(apps / apps that touch it), so what everybody touches weighs nothing.
 */
export function tfIdfCosinePairs(incidence: Incidence, min: number): Edge[] {
  const weigh = (requests: number, degree: number) => (1 + Math.log(requests)) * Math.log(incidence.length / degree)
  const norms = new Map<readonly Cell[], number>()
  const norm = (cells: readonly Cell[]): number => {
    const known = norms.get(cells) ?? Math.sqrt(cells.reduce((total, { weight }) => total + weight ** 2, 0))
    norms.set(cells, known)
    return known
  }
  return similarPairs(incidence, weigh, (common, one, other) => common / (norm(one) * norm(other)), min)
}

/** One row an app that holds the objects of all `tables`, each table's objects kept apart by its name. */
export function mergeIncidence(tables: Readonly<Record<string, Incidence>>): Incidence {
  const merged = new Map<string, { objects: string[]; requests: number[] }>()
  for (const [name, table] of Object.entries(tables)) {
    for (const { app_id, objects, requests } of table) {
      const row = merged.get(app_id) ?? { objects: [], requests: [] }
      merged.set(app_id, row)
      for (const [index, object] of objects.entries()) {
        row.objects.push(`${name} ${object}`)
        row.requests.push(requests[index] ?? 0)
      }
    }
  }
  return [...merged].map(([app_id, { objects, requests }]) => ({ app_id, objects, requests }))
}
