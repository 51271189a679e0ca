/** Hand-made traffic and registrations, stored where real ones are: requests in `landing`, apps in `apps`. */
import type { ClickHouse } from '#lib/clickhouse.ts'
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import { computeHours } from '../../services/analyzer/run/hours.ts'

export const HOUR_MS = 3_600_000
export const START_MS = Date.parse('2026-03-01T00:00:00Z')
/** A day. */
export const WINDOW = { fromMs: START_MS, toMs: START_MS + 24 * HOUR_MS } as const

/** Requests of one app that look alike, spread evenly over a time. */
export interface Burst {
  readonly app: string
  readonly requests: number
  /** Client address. */
  readonly network: string
  readonly user?: string
  readonly route?: string
  readonly agent?: string
  readonly status?: number
  /** Requests allowed in a limit window, and seconds until it ends. */
  readonly limit?: number
  readonly reset?: number
  /** Half-open, hours from the start of the day; the whole day by default. */
  readonly hours?: readonly [number, number]
}

export interface Registration {
  readonly app: string
  readonly owner: string
  readonly name?: string
  readonly description?: string
  readonly website?: string
  readonly callbacks?: readonly string[]
  readonly createdAtMs?: number
}

export interface Traffic {
  readonly bursts: readonly Burst[]
  readonly apps: readonly Registration[]
}

export const together = (...parts: readonly Traffic[]): Traffic => ({
  bursts: parts.flatMap((part) => part.bursts),
  apps: parts.flatMap((part) => part.apps),
})

const LANDING_COLUMNS = [
  'source',
  'partition',
  'offset',
  'reason',
  'timestamp',
  'app_id',
  'client_ip',
  'method',
  'route',
  'status_code',
  'user_id',
  'user_agent',
  'ratelimit_limit',
  'ratelimit_reset',
] as const

const APP_COLUMNS = [
  'app_id',
  'owner_id',
  'name',
  'description',
  'website',
  'callback_urls',
  'created_at',
  'version',
  'deleted',
] as const

const ADDRESS_WITH_LETTERS = /:/
const dateTime = (ms: number): string => new Date(ms).toISOString().slice(0, 23).replace('T', ' ')

/** Times of a burst, epoch milliseconds, in the middle of equal slices. */
export function timesOf({ requests, hours: [from, to] = [0, 24] }: Burst): number[] {
  const slice = ((to - from) * HOUR_MS) / requests
  return Array.from({ length: requests }, (_, i) => Math.floor(START_MS + from * HOUR_MS + (i + 0.5) * slice))
}

function landingRow(burst: Burst, timeMs: number, source: string, offset: number): string {
  const { network } = burst
  return tabSeparatedRow([
    source,
    0,
    offset,
    '',
    dateTime(timeMs),
    burst.app,
    ADDRESS_WITH_LETTERS.test(network) ? network : `::ffff:${network}`,
    'GET',
    burst.route ?? '/v1/items',
    burst.status ?? 200,
    burst.user ?? '',
    burst.agent ?? 'curl/8.4.0',
    burst.limit ?? null,
    burst.reset ?? null,
  ])
}

function appRow(registration: Registration, version: number): string {
  const { app, owner, name = app, description = '', website = '', callbacks = [] } = registration
  const created = dateTime(registration.createdAtMs ?? START_MS - 1000 * HOUR_MS)
  return tabSeparatedRow([app, owner, name, description, website, callbacks, created, version, 0])
}

/** Stores the traffic; `source` names it, so that more can be stored later. */
export async function store(clickhouse: ClickHouse, { bursts, apps }: Traffic, source = 'fixture'): Promise<void> {
  const rows = bursts.flatMap((burst) => timesOf(burst).map((timeMs) => ({ burst, timeMs })))
  if (rows.length > 0) {
    await clickhouse.insertBlock({
      table: 'landing',
      columns: LANDING_COLUMNS,
      body: Buffer.from(rows.map(({ burst, timeMs }, i) => landingRow(burst, timeMs, source, i)).join('')),
      token: `${source}/requests`,
    })
    await computeHours(clickhouse, source)
  }
  if (apps.length === 0) return
  await clickhouse.insertBlock({
    table: 'apps',
    columns: APP_COLUMNS,
    body: Buffer.from(apps.map((registration) => appRow(registration, 1)).join('')),
    token: `${source}/apps`,
  })
}

/** Uniform in [0, 1), seeded (Lehmer, modulus 2^31 - 1). */
export function seededRandom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const ROUTES = Array.from({ length: 24 }, (_, i) => `/v1/route-${i}`)
const SYLLABLES = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'ki', 'lo', 'mu', 'ne', 'pa', 'ri', 'so', 'tu', 've', 'zo']

/**
 * Unrelated apps, what chance and taste give: servers of their own, now and then a café, users from one crowd, a route mix each. They
 * are the null that every signal is measured against. Fields can be fixed where a test needs them equal.
 */
export function unrelated(count: number, seed: number, fixed: Partial<Burst> = {}, prefix = 'bg'): Traffic {
  const random = seededRandom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const word = (): string => Array.from({ length: 4 }, () => SYLLABLES[below(SYLLABLES.length)] ?? '').join('')
  const sentence = (): string => Array.from({ length: 12 }, word).join(' ')
  const bursts: Burst[] = []
  const apps: Registration[] = []
  for (let i = 0; i < count; i++) {
    const app = `${prefix}-${String(i).padStart(3, '0')}`
    const name = word()
    const created = START_MS - below(20_000) * HOUR_MS - below(HOUR_MS)
    const callbacks = [`https://${name}.com/callback`]
    apps.push({ app, owner: `owner-${app}`, name, description: sentence(), callbacks, createdAtMs: created })
    const servers = Array.from(
      { length: 1 + below(3) },
      (_, k) => `10.${seed % 200}.${i % 250}.${k + 1 + 4 * Math.floor(i / 250)}`,
    )
    const taste = ROUTES.map((route) => ({ route, weight: random() ** 6 }))
    const whole = taste.reduce((sum, { weight }) => sum + weight, 0)
    const agent = random() < 0.5 ? 'python-requests/2.31' : `${name}/1.0`
    for (let k = 0; k < 60; k++) {
      let left = random() * whole
      const route = taste.find(({ weight }) => (left -= weight) <= 0)?.route ?? '/v1/items'
      const network = random() < 0.1 ? `100.64.0.${below(60)}` : (servers[below(servers.length)] ?? '10.0.0.1')
      const hour = below(24)
      bursts.push({
        app,
        requests: 1,
        network,
        user: `crowd-${below(500)}`,
        route,
        agent,
        hours: [hour, hour + 1],
        ...fixed,
      })
    }
  }
  return { bursts, apps }
}
