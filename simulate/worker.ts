/** A program on a server or at home: it follows a rhythm, walks over routes, and signs with one of its credentials. */
import { type Actor, callerOf, type Gate, type Temper, TOO_MANY_REQUESTS } from '#simulate/actor.ts'
import type { App } from '#simulate/apps.ts'
import type { Network } from '#simulate/networks.ts'
import type { Account } from '#simulate/people.ts'
import { at, type Rng } from '#simulate/random.ts'
import { type Rhythm, SECOND_MS } from '#simulate/rhythm.ts'
import type { Ring } from '#simulate/rings.ts'
import type { Route } from '#simulate/routes.ts'
import type { RouteWalk } from '#simulate/walks.ts'

/** One registered application as a program uses it. */
export interface Credential {
  readonly app: App
  readonly network: Network
  readonly agent: string
  /** Whose token goes along; undefined = app-only. */
  readonly user: Account | undefined
  /** This key's own variant of the program's walk, where members of a service differ a little. */
  readonly walk?: RouteWalk
}

export interface WorkerOptions {
  readonly rng: Rng
  readonly rhythm: Rhythm
  readonly walk: RouteWalk
  readonly credentials: readonly Credential[]
  readonly ring: Ring
  readonly temper: Temper
  readonly elastic: boolean
  /** Whose account each request is about, when the program serves many users with their own tokens. */
  readonly subject?: () => Account
  /** Time to change to another credential after a refusal, median milliseconds. */
  readonly switchMs?: number
  /** Told of each request when it goes out: whoever shadows this program acts on it. */
  readonly onSent?: (nowMs: number, route: Route, gate: Gate) => void
}

interface Task {
  readonly route: Route
  readonly subject: Account | undefined
  /** Credential of the first try; the ring is asked again for each further one. */
  readonly index: number
  tries: number
}

/** Refused requests are tried again at most so often. */
const TRIES = { give_up: 0, wait: 1, back_off: 4, hammer: 7, other_key: 0 } as const

export class Worker implements Actor {
  readonly elastic: boolean
  private readonly options: WorkerOptions
  private step = 0
  private route: Route | undefined
  private pending: Task | undefined

  constructor(options: WorkerOptions) {
    this.options = options
    this.elastic = options.elastic
  }

  load(atMs: number): number {
    return this.options.rhythm.perHour(atMs)
  }

  start(gate: Gate): number {
    return this.options.rhythm.next(gate.startMs, gate.scaleOf(this))
  }

  wake(nowMs: number, gate: Gate): number {
    const { ring, credentials, rhythm, onSent } = this.options
    const again = this.pending
    this.pending = undefined
    const task = again ?? this.nextTask(nowMs)
    const index = again === undefined ? task.index : ring.choose(nowMs, task.route, task.subject?.index ?? this.step)
    const { app, network, agent, user } = at(credentials, index)
    const downUntilMs = network.downUntil?.(nowMs) ?? 0
    // A program with one key stops with its host; one of many keys loses a turn.
    if (downUntilMs > nowMs) return rhythm.next(credentials.length === 1 ? downUntilMs : nowMs, gate.scaleOf(this))
    const caller = callerOf(gate.logged, app, task.subject ?? user, network.address(nowMs), agent)
    const status = gate.send(task.route, caller)
    onSent?.(nowMs, task.route, gate)
    if (status !== TOO_MANY_REQUESTS) return rhythm.next(nowMs, gate.scaleOf(this))
    const more = ring.refused(nowMs, task.route, index, gate.resetAtMs)
    return this.afterRefusal(task, more, nowMs, gate)
  }

  private nextTask(nowMs: number): Task {
    const { rng, walk, ring, credentials } = this.options
    const subject = this.options.subject?.()
    const { step, route: previous } = this
    this.step += 1
    let route = walk.next(rng, previous, step, nowMs)
    const index = ring.choose(nowMs, route, subject?.index ?? this.step)
    const own = at(credentials, index).walk
    if (own !== undefined && ring.byRoute !== true) route = own.next(rng, previous, step, nowMs)
    this.route = route
    return { route, subject, index, tries: 0 }
  }

  private afterRefusal(task: Task, more: boolean, nowMs: number, gate: Gate): number {
    const { rng, temper, rhythm, credentials, switchMs } = this.options
    const keys = more ? credentials.length - 1 : 0
    const most = temper === 'other_key' ? keys : TRIES[temper]
    if (task.tries >= most) {
      // Whoever has tried all keys, or waits by nature, sleeps until the window ends; the others go on with the next task.
      const asleep = temper === 'other_key' || temper === 'wait'
      return rhythm.next(asleep ? gate.resetAtMs + rng.exponential(5 * SECOND_MS) : nowMs, gate.scaleOf(this))
    }
    task.tries += 1
    this.pending = task
    if (temper === 'other_key') return nowMs + rng.lognormal(switchMs ?? 800, 0.6)
    if (temper === 'wait') return gate.resetAtMs + rng.exponential(5 * SECOND_MS)
    return nowMs + (temper === 'hammer' ? rng.lognormal(1_500, 0.8) : rng.lognormal(SECOND_MS * 2 ** task.tries, 0.3))
  }
}
