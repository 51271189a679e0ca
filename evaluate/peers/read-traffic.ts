/** Reads from the store what the published methods need, on the window that the analysis has. */
import { z } from 'zod'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { dateTimeParam, type Window } from '../../services/analyzer/run/window.ts'
import type { Actions, PeerTraffic } from './peer.ts'

const AppObjectsRow = z.object({ app_id: z.string(), objects: z.array(z.string()), requests: z.array(z.number()) })
const WindowParams = z.object({ from: z.string(), to: z.string() })
const SlotParams = WindowParams.extend({ slot_seconds: z.int() })

export const peerNetworksQuery = { name: 'evaluate/peer-networks', params: WindowParams, row: AppObjectsRow } as const
export const peerRoutesQuery = { name: 'evaluate/peer-routes', params: WindowParams, row: AppObjectsRow } as const
export const peerUserAgentsQuery = {
  name: 'evaluate/peer-user-agents',
  params: WindowParams,
  row: AppObjectsRow,
} as const
export const peerNetworkActionsQuery = {
  name: 'evaluate/peer-network-actions',
  params: SlotParams,
  row: AppObjectsRow,
} as const
export const peerRouteActionsQuery = {
  name: 'evaluate/peer-route-actions',
  params: SlotParams,
  row: AppObjectsRow,
} as const

/** Lengths of a slot in which two actions count as simultaneous: keys that take turns within a limit window, and within an hour. */
const slotMinutes = [5, 60] as const

export async function readPeerTraffic(clickhouse: ClickHouse, window: Window): Promise<PeerTraffic> {
  const span = { from: dateTimeParam(window.fromMs), to: dateTimeParam(window.toMs) }
  const actions: Actions[] = []
  for (const minutes of slotMinutes) {
    const params = { ...span, slot_seconds: minutes * 60 }
    actions.push(
      { on: 'network', slotMinutes: minutes, actions: await clickhouse.query(peerNetworkActionsQuery, params) },
      { on: 'route', slotMinutes: minutes, actions: await clickhouse.query(peerRouteActionsQuery, params) },
    )
  }
  return {
    networks: await clickhouse.query(peerNetworksQuery, span),
    routes: await clickhouse.query(peerRoutesQuery, span),
    userAgents: await clickhouse.query(peerUserAgentsQuery, span),
    actions,
  }
}
