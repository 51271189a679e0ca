/** In which order a program asks for which routes. */
import { at, type Rng, Weighted } from '#simulate/random.ts'
import { HOUR_MS } from '#simulate/rhythm.ts'
import type { Route } from '#simulate/routes.ts'
import type { UseCase } from '#simulate/use-cases.ts'

/** Another mix that a program swings to and back from, as work differs by hour and by campaign. */
interface Drift {
  readonly mix: Weighted<Route>
  readonly weights: readonly number[]
  readonly periodMs: number
  /** Of the swing, in periods. */
  readonly phase: number
}

function driftTo(routes: readonly Route[], weights: readonly number[], periodMs: number, phase: number): Drift {
  return { mix: new Weighted(routes, weights), weights, periodMs, phase }
}

/** Share of the other mix, 0..1: a sine. */
function driftedShare(drift: Drift, nowMs: number): number {
  return 0.5 + 0.5 * Math.sin(2 * Math.PI * (nowMs / drift.periodMs + drift.phase))
}

/** How one program walks over routes: a weighted mix with repeats (pagination), or a fixed script run again and again. */
export class RouteWalk {
  readonly mix: Weighted<Route>
  /** The route that gets most requests. */
  readonly hot: Route
  /** Share of requests that go to the hot route, 0..1. */
  readonly hotShare: number
  private readonly weights: readonly number[]
  private readonly repeat: number
  private readonly script: readonly Route[]
  private readonly drift: Drift | undefined

  constructor(
    routes: readonly Route[],
    weights: readonly number[],
    repeat: number,
    script: readonly Route[] = [],
    drift?: Drift,
  ) {
    this.mix = new Weighted(routes, weights)
    this.weights = weights
    this.repeat = repeat
    this.script = script
    this.drift = drift
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
  next(rng: Rng, previous: Route | undefined, step: number, nowMs: number): Route {
    if (this.script.length > 0) return at(this.script, step % this.script.length)
    if (previous !== undefined && rng.next() < this.repeat) return previous
    if (this.drift !== undefined && rng.next() < driftedShare(this.drift, nowMs)) return this.drift.mix.pick(rng)
    return this.mix.pick(rng)
  }

  /**
   * The same program as another member of the service runs it: each weight off by a factor of its own (`sigma` is the standard
   * deviation of the logarithm), a step of a script left out or done twice.
   */
  jittered(rng: Rng, sigma: number): RouteWalk {
    if (sigma <= 0) return this
    const factors = this.weights.map(() => rng.lognormal(1, sigma))
    const vary = (weights: readonly number[]): number[] => weights.map((weight, index) => weight * at(factors, index))
    const script = this.script.flatMap((route) =>
      rng.chance(sigma / 3) ? [] : rng.chance(sigma / 3) ? [route, route] : [route],
    )
    const { items } = this.mix
    const drift =
      this.drift === undefined
        ? undefined
        : driftTo(items, vary(this.drift.weights), this.drift.periodMs, this.drift.phase + rng.range(-0.1, 0.1))
    return new RouteWalk(items, vary(this.weights), this.repeat, script.length > 0 ? script : this.script, drift)
  }
}

/** A program of the use case: its own selection of 1-14 routes with its own weights, sometimes as a fixed script. */
export function walkOf(
  rng: Rng,
  useCase: UseCase,
  breadth = rng.size(useCase.breadth, 0.7, useCase.habits.breadthLeast, 14),
): RouteWalk {
  const all = new Weighted(useCase.routes, useCase.weights)
  const chosen = new Set<Route>()
  for (let tries = 0; chosen.size < breadth && tries < breadth * 20; tries += 1) chosen.add(all.pick(rng))
  const routes = [...chosen]
  const weights = routes.map(() => rng.lognormal(1, useCase.habits.unevenness))
  const steps = Math.max(useCase.habits.breadthLeast, rng.between(2, 6))
  const script = rng.chance(0.2) ? Array.from({ length: steps }, () => rng.pick(routes)) : []
  return new RouteWalk(routes, weights, rng.range(0, 0.6), script, wandering(rng, useCase, routes, weights))
}

/** How the mix of one program of the use case wanders: back and forth within hours or days. */
function wandering(
  rng: Rng,
  useCase: UseCase,
  routes: readonly Route[],
  weights: readonly number[],
): Drift | undefined {
  if (useCase.habits.drift <= 0) return undefined
  const other = weights.map((weight) => weight * rng.lognormal(1, useCase.habits.drift))
  return driftTo(routes, other, rng.range(6, 72) * HOUR_MS, rng.next())
}

/** A job about one route first of all, with a few others beside it: `hotShare` (0..1) of its requests go to `hot`. */
export function walkAround(rng: Rng, hot: Route, useCase: UseCase, hotShare: number): RouteWalk {
  const side = walkOf(rng, useCase, rng.between(1, 4)).mix.items.filter((route) => route !== hot)
  const weights = side.map(() => rng.lognormal(1, 0.7))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const rest = weights.map((weight) => ((1 - hotShare) * weight) / sum)
  const routes = [hot, ...side]
  const all = [side.length === 0 ? 1 : hotShare, ...rest]
  return new RouteWalk(routes, all, rng.range(0, 0.3), [], wandering(rng, useCase, routes, all))
}
