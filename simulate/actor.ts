/** The contract between whoever sends requests and the engine that carries them. */
import type { App } from '#simulate/apps.ts'
import type { Account } from '#simulate/people.ts'
import type { Route } from '#simulate/routes.ts'

/** Who sends a request: credential, user, address and agent, with their part of the output line ready made. */
export interface Caller {
  readonly app: App
  readonly user: Account | undefined
  readonly fragment: string
}

/** Which optional fields this platform's gateway writes. */
export interface Logged {
  readonly users: boolean
  readonly agents: boolean
  readonly limitHeaders: 'always' | 'on_429' | 'never'
}

/**
 * A caller for one session or request. Texts go into the line as they are, so none may need JSON escapes: ids and addresses
 * never do, and agents are built from names stripped to letters and digits.
 */
export function callerOf(logged: Logged, app: App, user: Account | undefined, ip: string, agent: string): Caller {
  const userPart = user === undefined || !logged.users ? '' : `,"user_id":"${user.id}"`
  const agentPart = agent === '' || !logged.agents ? '' : `,"user_agent":"${agent}"`
  return { app, user, fragment: `,"app_id":"${app.id}","client_ip":"${ip}"${userPart}${agentPart}` }
}

/** Status code of a refused request (RFC 6585). */
export const TOO_MANY_REQUESTS = 429

export interface Gate {
  readonly logged: Logged
  /** Start of the simulation, epoch milliseconds. */
  readonly startMs: number
  /** When the limit window of the request sent last ends, epoch milliseconds. */
  readonly resetAtMs: number
  /** Sends one request at the present moment and answers with its status code. */
  send(route: Route, caller: Caller): number
  /** Adds an actor that first wakes at `atMs`. */
  spawn(actor: Actor, atMs: number): void
  /** By how much an actor's pace is to be multiplied now. */
  scaleOf(actor: Actor): number
}

/** Anything that sends requests. */
export interface Actor {
  /** Whether the engine may scale its pace to meet the number of requests asked for. */
  readonly elastic: boolean
  /** Mean requests an hour around `atMs` at scale 1, epoch milliseconds. */
  load(atMs: number): number
  /** Time of the first wake-up, epoch milliseconds; Infinity for never. */
  start(gate: Gate): number
  /** Acts at `nowMs` and answers when to be woken next; Infinity when done. */
  wake(nowMs: number, gate: Gate): number
}

/** What a client does when it is refused. */
export type Temper = 'give_up' | 'wait' | 'back_off' | 'hammer' | 'other_key'
