/**
 * Runs all actors in the order of time and yields what the gateway logs, block by block. Memory holds the actors, the sessions
 * that are open now and the limiter's present windows; never the traffic.
 */
import { type Actor, type Caller, type Gate, type Logged, TOO_MANY_REQUESTS } from '#simulate/actor.ts'
import type { App } from '#simulate/apps.ts'
import { RecordEncoder, servedStatus } from '#simulate/encode.ts'
import { EventQueue } from '#simulate/event-queue.ts'
import { Limiter } from '#simulate/limits.ts'
import type { Rng } from '#simulate/random.ts'
import { HOUR_MS, MINUTE_MS, type Span } from '#simulate/rhythm.ts'
import type { Route } from '#simulate/routes.ts'

/** Requests in the order of time; each line is one JSON object with its newline. */
export interface Block {
  readonly lines: readonly string[]
  /** Time of the last request, epoch milliseconds. */
  readonly untilMs: number
}

export interface EnginePlan {
  readonly rng: Rng
  readonly span: Span
  readonly requests: number
  readonly apps: readonly App[]
  readonly routes: readonly Route[]
  readonly actors: readonly Actor[]
  readonly logged: Logged
}

/** Lines a block holds: large enough that per-block work vanishes, small enough to stay in the young generation. */
const BLOCK_LINES = 2_048
/** The pace of the background is corrected this often. */
const CELL_MS = 5 * MINUTE_MS
/** Scenarios may take at most this share of the requests asked for; beyond it they are slowed down with everything else. */
const FIXED_SHARE_MAX = 0.7

/**
 * Keeps the total near the number asked for: background traffic is scaled so that what is still expected of it fills what is
 * still missing. Refusals, retries and the lengths of sessions make the outcome differ from the plan by a few per cent.
 */
export class Pace {
  readonly fixed: number
  elastic: number
  private readonly first: number
  private readonly requests: number
  /** Expected requests from each cell to the end, at scale 1. */
  private readonly fixedLeft: number[]
  private readonly elasticLeft: number[]

  constructor(plan: Pick<EnginePlan, 'actors' | 'span' | 'requests'>) {
    const { span, actors } = plan
    const cells = Math.ceil((span.endMs - span.startMs) / CELL_MS)
    this.fixedLeft = Array.from({ length: cells + 1 }, () => 0)
    this.elasticLeft = Array.from({ length: cells + 1 }, () => 0)
    for (let cell = cells - 1; cell >= 0; cell -= 1) {
      const from = span.startMs + cell * CELL_MS
      const to = Math.min(span.endMs, from + CELL_MS)
      let fixed = 0
      let elastic = 0
      for (const actor of actors) {
        const load = (actor.load((from + to) / 2) * (to - from)) / HOUR_MS
        if (actor.elastic) elastic += load
        else fixed += load
      }
      this.fixedLeft[cell] = fixed + (this.fixedLeft[cell + 1] ?? 0)
      this.elasticLeft[cell] = elastic + (this.elasticLeft[cell + 1] ?? 0)
    }
    this.requests = plan.requests
    const fixedAll = this.fixedLeft[0] ?? 0
    this.fixed = Math.min(1, (FIXED_SHARE_MAX * plan.requests) / Math.max(1, fixedAll))
    this.first = (plan.requests - fixedAll * this.fixed) / Math.max(1, this.elasticLeft[0] ?? 0)
    this.elastic = this.first
  }

  /** Corrects the elastic scale at the start of `cell`, when `sent` requests are out, within bounds that keep the days' shape. */
  correct(cell: number, sent: number): void {
    const missing = this.requests - sent - (this.fixedLeft[cell] ?? 0) * this.fixed
    const wanted = missing / Math.max(1, this.elasticLeft[cell] ?? 0)
    this.elastic = Math.min(this.first * 2, Math.max(this.first / 8, wanted))
  }
}

class Engine implements Gate {
  readonly logged: Logged
  readonly startMs: number
  resetAtMs = 0
  sent = 0
  lines: string[] = []
  readonly queue = new EventQueue<Actor>()
  private nowMs = 0
  private readonly pace: Pace
  private readonly rng: Rng
  private readonly limiter: Limiter
  private readonly encoder: RecordEncoder

  constructor(plan: EnginePlan, pace: Pace) {
    this.pace = pace
    this.logged = plan.logged
    this.startMs = plan.span.startMs
    this.rng = plan.rng.fork('engine')
    this.limiter = new Limiter(plan.apps.length, plan.routes.length)
    this.encoder = new RecordEncoder(plan.rng.fork('encoder'), plan.routes, plan.logged.limitHeaders)
  }

  scaleOf(actor: Actor): number {
    return actor.elastic ? this.pace.elastic : this.pace.fixed
  }

  spawn(actor: Actor, atMs: number): void {
    this.queue.push(atMs, actor)
  }

  send(route: Route, caller: Caller): number {
    const { limiter } = this
    const served = limiter.take(caller.app, route, caller.user, this.nowMs)
    const status = served ? servedStatus(this.rng, route, caller.app.errorShare) : TOO_MANY_REQUESTS
    this.resetAtMs = limiter.resetAtMs
    this.lines.push(
      this.encoder.line(this.nowMs, caller, route, status, limiter.limit, limiter.remaining, limiter.resetAtMs),
    )
    this.sent += 1
    return status
  }

  /** Wakes the earliest actor. Whatever it spawns wakes no earlier than itself, so it stays first until it is rescheduled. */
  step(): void {
    const { queue } = this
    const actor = queue.next
    if (actor === undefined) return
    this.nowMs = queue.nextTime
    const next = actor.wake(this.nowMs, this)
    if (next < Number.POSITIVE_INFINITY) queue.reschedule(next)
    else queue.removeNext()
  }
}

/** All requests of the plan, in the order of time. The same plan gives the same blocks. */
export function* generate(plan: EnginePlan, pace: Pace = new Pace(plan)): Generator<Block, void, void> {
  const { startMs, endMs } = plan.span
  const engine = new Engine(plan, pace)
  for (const actor of plan.actors) {
    const first = actor.start(engine)
    if (first < endMs) engine.queue.push(first, actor)
  }
  let cell = 0
  while (engine.queue.nextTime < endMs) {
    const now = engine.queue.nextTime
    if (now >= startMs + (cell + 1) * CELL_MS) {
      cell = Math.floor((now - startMs) / CELL_MS)
      pace.correct(cell, engine.sent)
    }
    engine.step()
    if (engine.lines.length >= BLOCK_LINES) {
      yield { lines: engine.lines, untilMs: now }
      engine.lines = []
    }
  }
  if (engine.lines.length > 0) yield { lines: engine.lines, untilMs: endMs }
}
