/** In which order a program asks for which routes. */
import { at, type Rng, Weighted } from '#simulate/random.ts'
import type { Route } from '#simulate/routes.ts'
import type { UseCase } from '#simulate/use-cases.ts'

/** How one program walks over routes: a weighted mix with repeats (pagination), or a fixed script run again and again. */
export class RouteWalk {
  readonly mix: Weighted<Route>
  /** The route that gets most requests. */
  readonly hot: Route
  /** Share of requests that go to the hot route, 0..1. */
  readonly hotShare: number
  private readonly repeat: number
  private readonly script: readonly Route[]

  constructor(routes: readonly Route[], weights: readonly number[], repeat: number, script: readonly Route[] = []) {
    this.mix = new Weighted(routes, weights)
    this.repeat = repeat
    this.script = script
    const shares = new Map<Route, number>()
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (script.length > 0) for (const route of script) shares.set(route, (shares.get(route) ?? 0) + 1 / script.length)
    else for (const [index, route] of routes.entries()) shares.set(route, at(weights, index) / total)
    const ranked = [...shares].toSorted((left, right) => right[1] - left[1])
    const [hot, hotShare] = at(ranked, 0)
    this.hot = hot
    this.hotShare = hotShare
  }

  /** Route of step `step` of a run that last asked for `previous`. */
  next(rng: Rng, previous: Route | undefined, step: number): Route {
    if (this.script.length > 0) return at(this.script, step % this.script.length)
    if (previous !== undefined && rng.next() < this.repeat) return previous
    return this.mix.pick(rng)
  }
}

/** A program of the use case: its own selection of 1-14 routes with its own weights, sometimes as a fixed script. */
export function walkOf(rng: Rng, useCase: UseCase, breadth = rng.size(4, 0.7, 1, 14)): RouteWalk {
  const all = new Weighted(useCase.routes, useCase.weights)
  const chosen = new Set<Route>()
  for (let tries = 0; chosen.size < breadth && tries < breadth * 20; tries += 1) chosen.add(all.pick(rng))
  const routes = [...chosen]
  const weights = routes.map(() => rng.lognormal(1, 0.9))
  const script = rng.chance(0.2) ? Array.from({ length: rng.between(2, 6) }, () => rng.pick(routes)) : []
  return new RouteWalk(routes, weights, rng.range(0, 0.6), script)
}

/** A job about one route first of all, with a few others beside it: `hotShare` (0..1) of its requests go to `hot`. */
export function walkAround(rng: Rng, hot: Route, useCase: UseCase, hotShare: number): RouteWalk {
  const side = walkOf(rng, useCase, rng.between(1, 4)).mix.items.filter((route) => route !== hot)
  const weights = side.map(() => rng.lognormal(1, 0.7))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const rest = weights.map((weight) => ((1 - hotShare) * weight) / sum)
  return new RouteWalk([hot, ...side], [side.length === 0 ? 1 : hotShare, ...rest], rng.range(0, 0.3))
}
