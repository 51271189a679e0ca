import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { generate } from '#simulate/engine.ts'
import { HOUR_MS } from '#simulate/rhythm.ts'
import { loggedIn } from '#simulate/plan.ts'
import { SCENARIOS } from '#simulate/scenarios/registry.ts'
import type { Scenario, Staged, Strength } from '#simulate/scenarios/scenario.ts'
import { createWorld, type World } from '#simulate/world.ts'

const Sent = z.object({
  timestamp: z.string(),
  app_id: z.string(),
  client_ip: z.string(),
  method: z.string(),
  route: z.string(),
  status_code: z.number(),
  user_id: z.string().optional(),
  user_agent: z.string().optional(),
})
type Sent = z.infer<typeof Sent>

const SEEN = { logsUsers: true, logsAgents: true, limitHeaders: 'always', routes: 40, lateStart: 0 } as const
const QUIET = { ...SEEN, ipv6: 0, pooled: 0, outagesPerDay: 0, restartsPerDay: 0 } as const

function worldOf(seed: number): World {
  const startMs = Date.parse('2026-11-01T00:00:00Z')
  return createWorld({ seed, kind: 'hard', apps: 600, requests: 400_000, hours: 24, startMs, conditions: QUIET })
}

function run(world: World, actors: Staged['actors']): Sent[] {
  const { rng, span, routes, registry } = world
  // So many requests are asked for that nothing has to be slowed down, and nothing here is elastic.
  const plan = { rng, span, routes, apps: registry.apps, actors, requests: 1e9, logged: loggedIn(world) }
  return generate(plan)
    .flatMap(({ lines }) => lines)
    .map((line) => Sent.parse(JSON.parse(line)))
    .toArray()
}

interface Scene {
  readonly staged: Staged
  readonly ids: readonly string[]
  /** Requests of the group's apps in the order of time. */
  readonly sent: readonly Sent[]
}

function staging(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  return scenario
}

function scene(name: string, seed = 5, strength: Strength = 'strong'): Scene {
  const world = worldOf(seed)
  const staged = staging(name).stage(world, world.rng.fork(name), strength)
  const ids = staged.apps.map(({ id }) => id)
  return { staged, ids, sent: run(world, staged.actors).filter(({ app_id: app }) => ids.includes(app)) }
}

const byApp = (sent: readonly Sent[]): Map<string, Sent[]> => Map.groupBy(sent, ({ app_id: app }) => app)
const distinct = (sent: readonly Sent[], of: (record: Sent) => string | undefined): number => new Set(sent.map(of)).size

describe('time slices apart', () => {
  it('share neither address nor user, and hardly ever overlap', () => {
    const { sent, ids } = scene('time_slicing_apart')
    const owners = Map.groupBy(sent, ({ client_ip: ip }) => ip)
    for (const records of owners.values()) expect(distinct(records, ({ app_id: app }) => app)).toBe(1)
    expect(sent.every(({ user_id: user }) => user === undefined)).toBe(true)
    const changes = sent.filter(({ app_id: app }, index) => index > 0 && app !== sent[index - 1]?.app_id).length
    expect(ids.length).toBeGreaterThan(1)
    expect(changes / sent.length).toBeLessThan(0.1)
    expect(sent.filter(({ status_code: status }) => status === 429).length / sent.length).toBeLessThan(0.15)
  })
})

/** Phase of each key's polls within `periodMs`, by its first requests after half a minute of silence; circular mean, 0..1. */
function phases(sent: readonly Sent[], periodMs: number): number[] {
  return [...byApp(sent).values()].map((records) => {
    const times = records.map(({ timestamp }) => Date.parse(timestamp))
    const starts = times.filter((time, index) => time - (times[index - 1] ?? 0) > 15_000)
    const angles = starts.map((time) => (2 * Math.PI * (time % periodMs)) / periodMs)
    const sine = angles.reduce((sum, angle) => sum + Math.sin(angle), 0)
    const cosine = angles.reduce((sum, angle) => sum + Math.cos(angle), 0)
    return (Math.atan2(sine, cosine) / (2 * Math.PI) + 1) % 1
  })
}

function periodOf(sent: readonly Sent[]): number {
  const [records = []] = byApp(sent).values()
  const times = records.map(({ timestamp }) => Date.parse(timestamp))
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 0)).filter((gap) => gap > 15_000 && gap < HOUR_MS)
  const median = gaps.toSorted((left, right) => left - right)[gaps.length >> 1] ?? 0
  return Math.round(median / 60_000) * 60_000
}

function unevenness(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const gaps = sorted.map((value, index) =>
    index === 0 ? value + 1 - (sorted.at(-1) ?? 0) : value - (sorted[index - 1] ?? 0),
  )
  const mean = 1 / gaps.length
  return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean
}

describe("end users' keys in one machine room", () => {
  it('are polled at an even stagger, one owner and one user a key', () => {
    const { sent, ids, staged } = scene('polled_keys_stagger')
    expect(unevenness(phases(sent, periodOf(sent)))).toBeLessThan(0.4)
    expect(new Set(staged.apps.map(({ owner }) => owner.id)).size).toBe(ids.length)
    for (const app of staged.apps)
      expect(new Set(sent.filter(({ app_id: id }) => id === app.id).map(({ user_id: user }) => user))).toEqual(
        new Set([app.owner.id]),
      )
  })

  it('or all at once off the clock', () => {
    const { sent } = scene('polled_keys_at_once')
    const periodMs = periodOf(sent)
    const all = phases(sent, periodMs)
    expect(Math.max(...all) - Math.min(...all)).toBeLessThan(0.12)
    const intoMinute = (((all[0] ?? 0) * periodMs) % 60_000) / 1_000
    expect(intoMinute).toBeGreaterThan(15)
    expect(intoMinute).toBeLessThan(50)
  })

  it('unlike a template that many deploy', () => {
    const { sent } = scene('template_deployed', 6)
    expect(unevenness(phases(sent, periodOf(sent)))).toBeGreaterThan(0.45)
  })

  it('fall silent together', () => {
    const { sent, staged } = scene('polled_keys_common_fate')
    const times = sent.map(({ timestamp }) => Date.parse(timestamp))
    const gaps = times.map((time, index) => time - (times[index - 1] ?? time)).toSorted((left, right) => right - left)
    // Several silences far longer than any that keys out of step leave by chance.
    expect(gaps[3] ?? 0).toBeGreaterThan(6 * (gaps[Math.floor(gaps.length / 100)] ?? 0))
    expect(staged.evidentAtMs).toBeGreaterThan(times[0] ?? 0)
  })
})

describe('keys behind proxies', () => {
  it('share users and nothing that they could be known by otherwise', () => {
    const { sent } = scene('rotation_behind_proxies')
    const users = Map.groupBy(
      sent.filter(({ user_id: user }) => user !== undefined),
      ({ user_id: user }) => user,
    )
    const shared = [...users.values()].filter((records) => distinct(records, ({ app_id: app }) => app) > 1)
    expect(shared.length).toBeGreaterThan(10)
    expect(distinct(sent, ({ client_ip: ip }) => ip)).toBeGreaterThan(300)
  })
})

describe('honest houses', () => {
  it('an agency has one agent and as many mixes as clients', () => {
    const { sent, ids } = scene('agency')
    expect(distinct(sent, ({ user_agent: agent }) => agent)).toBe(1)
    const busiest = [...byApp(sent).values()].map((records) => {
      const routes = [...Map.groupBy(records, ({ method, route }) => `${method} ${route}`)]
      return routes.toSorted((left, right) => right[1].length - left[1].length)[0]?.[0]
    })
    expect(new Set(busiest).size).toBeGreaterThan(ids.length / 3)
  })

  it('plugin sites show a WordPress agent with a domain of their own, from one host', () => {
    const { sent } = scene('plugin_sites')
    const sites = sent.filter(({ user_agent: agent }) => agent?.startsWith('WordPress/'))
    expect(distinct(sites, ({ client_ip: ip }) => ip)).toBe(1)
    expect(distinct(sites, ({ user_agent: agent }) => agent)).toBe(distinct(sites, ({ app_id: app }) => app))
  })
})

describe('framing', () => {
  const ATTACKS = ['framed_copy', 'framed_same_host', 'framed_same_pool', 'framed_follower', 'framed_users'] as const

  it.each(ATTACKS)('by %s leaves the traffic of the victim as it is', (name) => {
    const { staged, sent } = scene(name)
    const victim = staged.victims?.[0]?.id
    const shape = (records: readonly Sent[]): string[] =>
      records
        .filter(({ app_id: app }) => app === victim)
        .map(({ timestamp, method, route, user_id: user }) => `${timestamp} ${method} ${route} ${user}`)
    // The same world again, in which nobody but the victim sends anything.
    const other = worldOf(5)
    const alone = staging(name).stage(other, other.rng.fork(name), 'strong')
    expect(shape(sent).length).toBeGreaterThan(20)
    expect(shape(run(other, alone.actors.slice(0, 1)))).toEqual(shape(sent))
  })

  it('a stolen key shows its own life and a foreign network', () => {
    const { sent, ids } = scene('stolen_key')
    expect(ids).toHaveLength(1)
    expect(distinct(sent, ({ client_ip: ip }) => ip)).toBeGreaterThan(1)
    expect(distinct(sent, ({ user_agent: agent }) => agent)).toBeGreaterThan(1)
  })

  it('a ring that frames a rival does not count him as its own', () => {
    const { staged, ids } = scene('ring_frames_rival')
    expect(staged.victims).toHaveLength(1)
    expect(ids).not.toContain(staged.victims?.[0]?.id)
    expect(ids.length).toBeGreaterThan(2)
  })
})
