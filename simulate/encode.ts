/** Lines of requests.ndjson, joined from parts that are encoded once; a record is never built as an object. */
import type { Caller, Logged } from '#simulate/actor.ts'
import type { Rng } from '#simulate/random.ts'
import type { Route } from '#simulate/routes.ts'

const STATUS_SERVER_ERRORS = [500, 502, 503, 503, 504, 0] as const
const STATUS_CLIENT_ERRORS = [400, 401, 403, 404, 404, 404] as const

/** Status of a request that the limiter let pass. */
export function servedStatus(rng: Rng, route: Route, errorShare: number): number {
  if (rng.next() >= errorShare) return route.method === 'POST' ? 201 : 200
  return rng.chance(0.8) ? rng.pick(STATUS_CLIENT_ERRORS) : rng.pick(STATUS_SERVER_ERRORS)
}

export class RecordEncoder {
  private readonly rng: Rng
  private readonly routeParts: readonly string[]
  private readonly tail: string
  private readonly requestPrefix: string
  private readonly limitHeaders: Logged['limitHeaders']
  private readonly epochReset: boolean
  private readonly withBytes: boolean
  private second = -1
  private secondText = ''
  private issued = 0

  constructor(rng: Rng, routes: readonly Route[], limitHeaders: Logged['limitHeaders']) {
    this.limitHeaders = limitHeaders
    this.rng = rng
    this.routeParts = routes.map((route) => `,"method":"${route.method}","route":"${route.template}","status_code":`)
    // Gateways differ in what they log; which one this is follows from the seed.
    this.epochReset = rng.chance(0.4)
    this.withBytes = rng.chance(0.7)
    this.tail = rng.pick(['"}\n', '","host":"api.example.com"}\n', '","gateway":"edge","region":"eu-west-1"}\n'])
    this.requestPrefix = `,"request_id":"${rng.hex(6)}-`
  }

  /** One line with its newline. `resetAtMs` is epoch milliseconds. */
  line(
    nowMs: number,
    caller: Caller,
    route: Route,
    status: number,
    limit: number,
    remaining: number,
    resetAtMs: number,
  ): string {
    const { rng } = this
    const whole = Math.floor(nowMs)
    const second = Math.floor(whole / 1_000)
    if (second !== this.second) {
      this.second = second
      this.secondText = `{"timestamp":"${new Date(second * 1_000).toISOString().slice(0, 20)}`
    }
    const milliseconds = whole - second * 1_000
    const padded = milliseconds < 10 ? `00${milliseconds}` : milliseconds < 100 ? `0${milliseconds}` : `${milliseconds}`
    const reset = this.epochReset ? Math.ceil(resetAtMs / 1_000) : Math.max(0, Math.ceil((resetAtMs - whole) / 1_000))
    const refused = status === 429
    const spread = 0.4 + rng.next() + rng.next() * rng.next() * 2
    const duration = refused ? 1 + Math.floor(rng.next() * 5) : Math.ceil(route.durationMsMedian * spread)
    this.issued += 1
    let line = `${this.secondText}${padded}Z"${caller.fragment}${this.routeParts[route.index] ?? ''}${status}`
    if (this.limitHeaders === 'always' || (refused && this.limitHeaders === 'on_429'))
      line += `,"ratelimit_limit":${limit},"ratelimit_remaining":${remaining},"ratelimit_reset":${reset}`
    line += `,"duration_ms":${duration}`
    if (this.withBytes) line += `,"response_bytes":${refused ? 88 : Math.ceil(route.responseBytesMedian * spread)}`
    return `${line}${this.requestPrefix}${this.issued.toString(36)}${this.tail}`
  }
}
