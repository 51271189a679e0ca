/**
 * One entry of the app registry to a row of `apps`, or what is wrong with it. Pure.
 *
 * Of the rows of an app the one with the greatest version wins.
 * - From a file, the version is the load time in epoch milliseconds.
 * - From the topic, it is greater than every version that the table holds when the records are stored, grows with the offset, and is at least the present
 *   time in epoch milliseconds.
 * So of the records of an app (one partition has them all, by their key) the last one wins, whatever the clocks of its producers said; what is read wins over
 * what was stored before it from an earlier topic of this name (offsets begin again) or from a file; and a file that is loaded later wins over it. Offsets as
 * versions could do neither of the last two.
 */
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import { AppRecord } from '#schemas/app-record.ts'

import { epochMs } from '../decode/fast-path.ts'
import { normaliseRoute } from '../decode/route.ts'

/** Columns of `apps` in the order of a row. */
export const APP_COLUMNS = [
  'app_id',
  'owner_id',
  'name',
  'description',
  'website',
  'callback_urls',
  'created_at',
  'tier',
  'status',
  'limits',
  'version',
  'deleted',
] as const

/** Registered between 1970 and 2100: what DateTime64 surely holds. */
const CREATED_BEFORE_MS = Date.UTC(2100, 0, 1)

export interface RegisteredApp {
  readonly app: AppRecord
  readonly createdAtMs: number
}

export type ParsedApp = RegisteredApp | { readonly problem: string }

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text of one registry entry (JSON) to an app. Null fields count as absent. */
export function parseApp(text: string): ParsedApp {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { problem: 'not JSON' }
  }
  if (!isObject(value)) return { problem: 'not a JSON object' }
  const parsed = AppRecord.safeParse(Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null)))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return { problem: issue === undefined ? parsed.error.message : `${issue.path.join('.')}: ${issue.message}` }
  }
  const app = parsed.data
  if (!app.app_id.isWellFormed() || !app.owner_id.isWellFormed())
    return { problem: 'app_id or owner_id is not valid Unicode' }
  const createdAtMs = epochMs(app.created_at)
  if (createdAtMs === undefined || createdAtMs < 0 || createdAtMs >= CREATED_BEFORE_MS) {
    return { problem: 'created_at must be RFC 3339 text, or epoch milliseconds as a number, between 1970 and 2100' }
  }
  return { app, createdAtMs }
}

/** Limits with routes spelled as in requests, so that they meet; of two that become one route the last counts. */
function normalisedLimits(limits: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const entries = Object.entries(limits)
  return Object.fromEntries(
    entries.map(([route, limit]) => [route.startsWith('/') ? normaliseRoute(route) : route, limit]),
  )
}

/** The TabSeparated row of an app. `version`: as above. */
export function appRow({ app, createdAtMs }: RegisteredApp, version: number | bigint): string {
  return tabSeparatedRow([
    app.app_id,
    app.owner_id,
    app.name,
    app.description ?? '',
    app.website ?? '',
    app.callback_urls ?? [],
    new Date(createdAtMs).toISOString().replace('T', ' ').replace('Z', ''),
    app.tier ?? '',
    app.status ?? '',
    normalisedLimits(app.limits ?? {}),
    String(version),
    0,
  ])
}

/** A row that removes an app: nothing but its id, its version and the mark. */
export function tombstoneRow(appId: string, version: bigint): string {
  return tabSeparatedRow([appId, '', '', '', '', [], '1970-01-01 00:00:00.000', '', '', '{}', String(version), 1])
}
