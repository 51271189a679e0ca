/** People using an application from their own networks, session by session. */
import { type Actor, type Caller, callerOf, type Gate, type Temper, TOO_MANY_REQUESTS } from '#simulate/actor.ts'
import type { App } from '#simulate/apps.ts'
import { type Person, personActivity, placeOf } from '#simulate/people.ts'
import { at, type Rng, type Weighted } from '#simulate/random.ts'
import { HOUR_MS, SECOND_MS } from '#simulate/rhythm.ts'
import type { Route } from '#simulate/routes.ts'
import type { RouteWalk } from '#simulate/walks.ts'

interface AudienceOptions {
  readonly rng: Rng
  readonly app: App
  readonly people: Weighted<Person>
  readonly walk: RouteWalk
  readonly agents: readonly string[]
  /** Sessions an hour if everybody were awake. */
  readonly sessionsPerHour: number
  /** Mean requests a session. */
  readonly length: number
  /** Share of requests that follow the last at once, 0..1. */
  readonly screens: number
  readonly temper: Temper
  readonly elastic: boolean
  /** Shapes the number of sessions beside the people's own days, 0..1. */
  readonly curve?: (atMs: number) => number
  /** Where the session comes from, when it is not simply where the person is. */
  readonly address?: (person: Person, nowMs: number) => string
}

/** Median pause between two screens, milliseconds. */
const PAUSE_MS = 9 * SECOND_MS
/** How often an insistent client asks again before it leaves. */
const INSIST = 8

/** One person's session; it lives for its few requests only. */
class Session implements Actor {
  readonly elastic = false
  private readonly options: AudienceOptions
  private readonly caller: Caller
  private left: number
  private step = 0
  private refusals = 0
  private route: Route | undefined

  constructor(options: AudienceOptions, caller: Caller, length: number) {
    this.options = options
    this.caller = caller
    this.left = length
  }

  load(): number {
    return 0
  }

  start(): number {
    return Number.POSITIVE_INFINITY
  }

  wake(nowMs: number, gate: Gate): number {
    const { rng, walk, temper, screens } = this.options
    this.route = walk.next(rng, this.route, this.step, nowMs)
    this.step += 1
    this.left -= 1
    if (gate.send(this.route, this.caller) === TOO_MANY_REQUESTS) {
      this.refusals += 1
      if (temper === 'give_up' || this.refusals > INSIST) return Number.POSITIVE_INFINITY
      if (temper === 'wait')
        return this.left > 0 ? gate.resetAtMs + rng.exponential(20 * SECOND_MS) : Number.POSITIVE_INFINITY
      this.left += 1
      return nowMs + rng.lognormal(temper === 'hammer' ? 900 : 2_000 * 2 ** this.refusals, 0.5)
    }
    if (this.left <= 0) return Number.POSITIVE_INFINITY
    return nowMs + (rng.next() < screens ? rng.lognormal(180, 0.7) : rng.lognormal(PAUSE_MS, 1))
  }
}

export class Audience implements Actor {
  readonly elastic: boolean
  private readonly options: AudienceOptions
  private readonly panel: readonly Person[]

  constructor(options: AudienceOptions) {
    this.options = options
    this.elastic = options.elastic
    this.panel = Array.from({ length: 24 }, () => options.people.pick(options.rng))
  }

  load(atMs: number): number {
    const awake = this.panel.reduce((sum, person) => sum + personActivity(person, atMs), 0) / this.panel.length
    const { sessionsPerHour, length, curve } = this.options
    return sessionsPerHour * length * awake * (curve?.(atMs) ?? 1)
  }

  start(gate: Gate): number {
    return gate.startMs + this.pause(gate)
  }

  wake(nowMs: number, gate: Gate): number {
    const { rng, people, curve } = this.options
    const person = people.pick(rng)
    const share = personActivity(person, nowMs) * (curve?.(nowMs) ?? 1)
    if (rng.next() < share) this.open(person, nowMs, gate)
    return nowMs + this.pause(gate)
  }

  private pause(gate: Gate): number {
    const { rng, sessionsPerHour } = this.options
    return rng.exponential(HOUR_MS / (sessionsPerHour * gate.scaleOf(this)))
  }

  private open(person: Person, nowMs: number, gate: Gate): void {
    const { rng, app, agents, length, address } = this.options
    const ip = address === undefined ? placeOf(rng, person, nowMs).address(nowMs) : address(person, nowMs)
    // A person keeps a device: the agent follows from who it is, not from the session.
    const agent = at(agents, (person.index * 7 + app.index) % agents.length)
    gate.spawn(new Session(this.options, callerOf(gate.logged, app, person, ip, agent), rng.geometric(length)), nowMs)
  }
}
