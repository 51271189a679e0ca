/** The registry of applications: accounts, records, and what the rate limiter needs to know of each. */
import { AppRecord } from '#schemas/app-record.ts'
import type { Account } from '#simulate/people.ts'
import type { Rng } from '#simulate/random.ts'
import type { Route } from '#simulate/routes.ts'
import type { RouteWalk } from '#simulate/walks.ts'

/** What a free application may ask is multiplied by this for its tier. */
const TIER_FACTORS = { free: 1, basic: 4, pro: 20, enterprise: 400 } as const
export type Tier = keyof typeof TIER_FACTORS

type LimitContext = 'app' | 'user' | 'all_users'

/** Load an app is expected to bring at its peak, by which its developer chose the tier. */
interface Demand {
  readonly walk: RouteWalk
  /** Requests in a busy limit window, at scale 1. */
  readonly perWindow: number
  /** Whose limit has to hold it: the app's, its only user's, or that of all its users together. */
  readonly context: LimitContext
  /** Whether the request count follows the elastic scale of the background. */
  readonly elastic: boolean
}

export interface App {
  readonly index: number
  readonly id: string
  readonly owner: Account
  readonly registration: Registration
  tier: Tier
  readonly demands: Demand[]
  /** Offset of this app's limit windows against the clock, milliseconds. */
  readonly windowPhaseMs: number
  /** Share of requests that fail for reasons other than limits, 0..1. */
  readonly errorShare: number
  /** Whether the registry has a record of it. */
  readonly registered: boolean
}

export interface Registration {
  readonly name: string
  readonly description: string | undefined
  readonly website: string | undefined
  readonly callbackUrls: readonly string[]
  /** Epoch milliseconds. */
  readonly createdAtMs: number
  readonly owner: Account
}

/** Issues ids that say nothing about who was registered in which order. */
export class IdBook {
  private readonly rng: Rng
  private readonly taken = new Set<string>()
  private issued = 0

  constructor(rng: Rng) {
    this.rng = rng
  }

  /** Decimal id of 8 to 10 digits. */
  number(): string {
    for (;;) {
      const id = String(10_000_000 + this.rng.below(4_280_000_000))
      if (this.taken.has(id)) continue
      this.taken.add(id)
      return id
    }
  }

  account(): Account {
    this.issued += 1
    return { index: this.issued, id: this.number() }
  }
}

interface RegistryOptions {
  readonly windowMs: number
  /** Limit windows start at a time of each app's own rather than on the clock's quarter hours. */
  readonly phased: boolean
  /** Share of apps without a record, 0..1. */
  readonly unregistered: number
}

export class AppRegistry {
  readonly apps: App[] = []
  private readonly rng: Rng
  private readonly ids: IdBook
  private readonly options: RegistryOptions

  constructor(rng: Rng, ids: IdBook, options: RegistryOptions) {
    this.rng = rng
    this.ids = ids
    this.options = options
  }

  register(registration: Registration): App {
    const { rng } = this
    const { phased, windowMs, unregistered } = this.options
    const app: App = {
      index: this.apps.length,
      id: this.ids.number(),
      owner: registration.owner,
      registration,
      tier: 'free',
      demands: [],
      windowPhaseMs: phased ? rng.below(windowMs / 1_000) * 1_000 : 0,
      errorShare: Math.min(0.3, rng.lognormal(0.012, 1)),
      registered: !rng.chance(unregistered),
    }
    this.apps.push(app)
    return app
  }
}

/** Requests a window that `app` may send to `route`, by what signs them. */
export function limitOf(app: App, route: Route, context: LimitContext): number {
  const base = context === 'app' ? route.appLimit : context === 'user' ? route.userLimit : route.allUsersLimit
  return base * TIER_FACTORS[app.tier]
}

/** The record for apps.ndjson; `routes` are listed with their limits when the registry tells them, for all or where negotiated. */
export function recordOf(app: App, routes: readonly Route[], limits: 'all' | 'negotiated' | 'none'): AppRecord {
  const { registration } = app
  const told = limits === 'all' || (limits === 'negotiated' && app.tier === 'enterprise')
  // Where two methods share a template, the limit for reading it is the one that is listed.
  const listed = [
    ...routes.filter((route) => route.method !== 'GET'),
    ...routes.filter((route) => route.method === 'GET'),
  ]
  return AppRecord.parse({
    app_id: app.id,
    owner_id: app.owner.id,
    name: registration.name,
    ...(registration.description === undefined ? {} : { description: registration.description }),
    ...(registration.website === undefined ? {} : { website: registration.website }),
    callback_urls: registration.callbackUrls,
    created_at: new Date(registration.createdAtMs).toISOString(),
    tier: app.tier,
    status: 'active',
    ...(told
      ? { limits: Object.fromEntries(listed.map((route) => [route.template, limitOf(app, route, 'app')])) }
      : {}),
  })
}
