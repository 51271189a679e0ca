import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { generate } from '#simulate/engine.ts'
import { createPlan, type PlanOptions } from '#simulate/plan.ts'

const Sent = z.object({
  timestamp: z.string(),
  app_id: z.string(),
  client_ip: z.string(),
  method: z.string(),
  route: z.string(),
  status_code: z.number(),
  user_id: z.string().optional(),
  ratelimit_limit: z.number(),
  ratelimit_remaining: z.number(),
  ratelimit_reset: z.number(),
})
type Sent = z.infer<typeof Sent>

/** A gateway that logs everything, and an API with room for every scenario. */
const SEEN = { logsUsers: true, logsAgents: true, limitHeaders: 'always', routes: 50 } as const

interface Traffic {
  readonly groups: ReturnType<typeof createPlan>['groups']
  readonly sent: readonly Sent[]
}

function traffic(options: PlanOptions): Traffic {
  const plan = createPlan({ world: 'tidy', conditions: SEEN, ...options })
  const sent: Sent[] = []
  for (const block of generate(plan, plan.pace)) {
    for (const line of block.lines) sent.push(Sent.parse(JSON.parse(line)))
  }
  return { groups: plan.groups, sent }
}

/** End of the limit window by the record's own headers, epoch seconds; exact to a second. */
function windowEnd(record: Sent): number {
  const { ratelimit_reset: reset } = record
  return reset > 1e9 ? reset : Math.floor(Date.parse(record.timestamp) / 1_000) + reset
}

/** Counts served requests by key and window; windows of a key whose ends differ by less than this (seconds) are the same. */
const SAME_WINDOW_SECONDS = 3

class Recount {
  private readonly last = new Map<string, { end: number; served: number }>()

  entry(key: string, end: number): { end: number; served: number } {
    const before = this.last.get(key)
    if (before !== undefined && Math.abs(before.end - end) <= SAME_WINDOW_SECONDS) return before
    const fresh = { end, served: 0 }
    this.last.set(key, fresh)
    return fresh
  }
}

describe('the rate limiter', () => {
  // An independent recount from the records' own headers: it knows neither routes nor tiers.
  it.each([1, 7])('refuses beyond the limit only, and always then (seed %i)', (seed) => {
    const { sent } = traffic({ seed, apps: 300, requests: 80_000 })
    const recount = new Recount()
    const wrong: Sent[] = []
    let refused = 0
    for (const record of sent) {
      const end = windowEnd(record)
      const route = `${record.app_id} ${record.method} ${record.route}`
      const all = recount.entry(`${record.user_id === undefined ? 'app' : 'all'} ${route}`, end)
      const own = record.user_id === undefined ? all : recount.entry(`${record.user_id} ${route}`, end)
      const { ratelimit_limit: limit, ratelimit_remaining: remaining } = record
      if (record.status_code === 429) {
        refused += 1
        if (remaining !== 0 || (own.served !== limit && all.served !== limit)) wrong.push(record)
        continue
      }
      all.served += 1
      if (own !== all) own.served += 1
      if (limit - own.served !== remaining && limit - all.served !== remaining) wrong.push(record)
    }
    expect(wrong).toEqual([])
    expect(refused).toBeGreaterThan(100)
  })
})

function byGroup({ groups, sent }: Traffic, scenario: string): { id: string; sent: Sent[] }[] {
  return groups
    .filter((group) => group.scenario === scenario)
    .map((group) => ({ id: group.id, sent: sent.filter((record) => group.apps.includes(record.app_id)) }))
}

/** Share of neighbours in time that come from different apps, among requests to the group's busiest route. */
function alternation(sent: readonly Sent[]): number {
  const routes = Map.groupBy(sent, (record) => `${record.method} ${record.route}`)
  const busiest = [...routes.values()].toSorted((left, right) => right.length - left.length)[0] ?? []
  const changes = busiest.filter((record, index) => index > 0 && record.app_id !== busiest[index - 1]?.app_id)
  return changes.length / Math.max(1, busiest.length - 1)
}

describe('evasions', () => {
  it('in round robin change the key with nearly every request', () => {
    const all = traffic({
      seed: 3,
      apps: 300,
      requests: 150_000,
      scenarios: ['round_robin_single_owner'],
      strengths: ['strong'],
    })
    const groups = byGroup(all, 'round_robin_single_owner')
    expect(groups.length).toBeGreaterThan(2)
    // Owners who try their keys by hand come between, most visibly where the job is small.
    const shares = groups.map((group) => alternation(group.sent)).toSorted((left, right) => left - right)
    expect(shares[0]).toBeGreaterThan(0.6)
    expect(shares[shares.length >> 1]).toBeGreaterThan(0.8)
  })

  it('in sticky sessions keep it for many', () => {
    const all = traffic({
      seed: 3,
      apps: 300,
      requests: 150_000,
      scenarios: ['sticky_sessions'],
      strengths: ['strong'],
    })
    const shares = byGroup(all, 'sticky_sessions').map((group) => alternation(group.sent))
    expect(Math.min(...shares)).toBeLessThan(0.5)
  })

  it('in failover answer a refusal with another key within seconds', () => {
    const all = traffic({
      seed: 5,
      apps: 300,
      requests: 150_000,
      scenarios: ['failover_on_429'],
      strengths: ['strong'],
    })
    for (const group of byGroup(all, 'failover_on_429')) {
      // Owners' own requests are refused as well now and then; the job's route is the one on which several keys were.
      const refused = Map.groupBy(
        group.sent.filter((record) => record.status_code === 429),
        (record) => record.route,
      )
      const refusals = [...refused.values()]
        .filter((records) => new Set(records.map((record) => record.app_id)).size > 1)
        .flat()
      const answered = refusals.filter((refusal) => {
        const since = Date.parse(refusal.timestamp)
        return group.sent.some((record) => {
          const after = Date.parse(record.timestamp) - since
          return after >= 0 && after < 10_000 && record.app_id !== refusal.app_id && record.route === refusal.route
        })
      })
      expect(refusals.length).toBeGreaterThan(5)
      expect(answered.length / refusals.length).toBeGreaterThan(0.5)
    }
  })

  it('use every key of a group', () => {
    const { groups, sent } = traffic({ seed: 8, world: 'hard', apps: 1_200, requests: 200_000 })
    const seen = new Set(sent.map((record) => record.app_id))
    const violations = groups.filter((group) => group.kind === 'violation')
    expect(
      violations.flatMap((group) => group.apps.filter((app) => !seen.has(app)).map((app) => `${group.id}: ${app}`)),
    ).toEqual([])
  })
})
