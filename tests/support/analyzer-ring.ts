/** A platform in small: unrelated apps, and a ring of one account that rotates one program over its keys. */
import { together, unrelated, type Burst, type Traffic } from './analyzer-traffic.ts'

const SERVERS = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
const ROUTES = { '/v1/route-4': 18, '/v1/route-19': 9 } as const

/** Keys that take turns from the same servers; each app gets a little more than the one before. */
export function ring(ids: readonly string[], more: Partial<Burst> = {}): Traffic {
  const bursts = ids.flatMap((app, i) =>
    SERVERS.flatMap((network) =>
      Object.entries(ROUTES).flatMap(([route, requests]): Burst[] => {
        const limited = { limit: 5, reset: 890, agent: 'harvester/2.1' }
        return [{ app, network, route, requests: requests + i, ...limited, ...more }]
      }),
    ),
  )
  return { bursts, apps: ids.map((app) => ({ app, owner: 'harvest-inc', name: `Harvester ${app}` })) }
}

export const RING = ['key-1', 'key-2', 'key-3', 'key-4'] as const

/** 120 unrelated apps and the ring. */
export const platform = (seed: number, ids: readonly string[] = RING): Traffic =>
  together(unrelated(120, seed), ring(ids))
