/**
 * One entry of the app registry to a row of `apps`, or what is wrong with it. Pure.
 *
 * An app that drops out of the registry loses its owner, and a ring of one account then looks like several. So an entry is refused only
 * when its app, its owner or its time of registration cannot be read; whatever else is odd is cut or left out, with a note.
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
import type { AppRecord } from '#schemas/app-record.ts'
import { UINT32_MAX } from '#schemas/request-record.ts'

import { epochMs } from '../decode/fast-path.ts'
import { isInexact, isObject, isPresent, numberOf, textOf, timestampOf } from '../decode/formats/values.ts'
import { parseExactly } from '../decode/json.ts'
import { found } from '../decode/refusal.ts'
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
  /** What was not taken as it stands there, in words. */
  readonly notes: readonly string[]
}

export type ParsedApp = RegisteredApp | { readonly problem: string }

type Entry = Readonly<Record<string, unknown>>

const ID_CHARS_MAX = 128
const URL_CHARS_MAX = 2048
const CALLBACKS_MAX = 100
const CHARS_MAX = { name: 512, description: 8192, website: URL_CHARS_MAX, tier: 64, status: 64 } as const

/** An id as it stands there, or why it is none: ids are never made equal by cutting or repairing them. */
function idOf(entry: Entry, field: 'app_id' | 'owner_id'): { readonly id: string } | { readonly problem: string } {
  const id = textOf(entry[field])
  if (id === undefined) {
    const isThere = isPresent(entry[field])
    return { problem: isThere ? `${field} must be text, found ${found(entry[field])}` : `${field} is missing` }
  }
  if (isInexact(id)) return { problem: `${field} is a number that was rounded: write ids as text` }
  if (!id.isWellFormed() || id.includes('\ufffd')) return { problem: `${field} is not valid Unicode` }
  return Array.from(id.slice(0, 3 * ID_CHARS_MAX)).length <= ID_CHARS_MAX
    ? { id }
    : { problem: `${field} has more than ${ID_CHARS_MAX} characters` }
}

/** Text of a field, cut where it is too long; '' when there is none. */
function textIn(entry: Entry, field: keyof typeof CHARS_MAX, notes: string[]): string {
  const text = textOf(entry[field])
  if (text === undefined) {
    if (isPresent(entry[field])) notes.push(`${field} was left out: it must be text, found ${found(entry[field])}`)
    return ''
  }
  if (text.includes('\ufffd') || !text.isWellFormed()) notes.push(`${field} holds bytes that are not UTF-8`)
  if (text.length > CHARS_MAX[field]) notes.push(`${field} was cut at ${CHARS_MAX[field]} characters`)
  return text.slice(0, CHARS_MAX[field]).toWellFormed()
}

function callbacksIn(entry: Entry, notes: string[]): string[] {
  const value = entry['callback_urls']
  if (!isPresent(value)) return []
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const urls = list.filter((url) => typeof url === 'string' && url.length <= URL_CHARS_MAX && url.isWellFormed())
  if (urls.length < list.length)
    notes.push(`callback_urls: ${list.length - urls.length} of ${list.length} were left out`)
  if (urls.length > CALLBACKS_MAX) notes.push(`callback_urls: the first ${CALLBACKS_MAX} of ${urls.length} were kept`)
  return urls.slice(0, CALLBACKS_MAX).filter((url) => typeof url === 'string')
}

function limitsIn(entry: Entry, notes: string[]): Record<string, number> {
  const value = entry['limits']
  if (!isPresent(value)) return {}
  const limits: [string, number][] = []
  const listed = isObject(value) ? Object.entries(value) : []
  for (const [route, raw] of listed) {
    const limit = numberOf(raw)
    if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 0 && limit <= UINT32_MAX)
      limits.push([route.toWellFormed(), limit])
  }
  if (limits.length < listed.length)
    notes.push(`limits: ${listed.length - limits.length} that are no count were left out`)
  if (!isObject(value)) notes.push(`limits were left out: they must be an object, found ${found(value)}`)
  return Object.fromEntries(limits)
}

/** Below this a number is a time in seconds: as milliseconds it would lie before 1973, when there was no API to register for. */
const SECONDS_BELOW = 1e11
const DATE = /^\d{4}-\d{2}-\d{2}$/

/** Epoch milliseconds of the registration; undefined when it cannot be read, or lies outside 1970 to 2100. */
function createdAt(value: unknown, notes: string[]): number | undefined {
  const isDate = typeof value === 'string' && DATE.test(value)
  const time = isDate ? `${value}T00:00:00Z` : timestampOf(value)
  if (isDate) notes.push('created_at is a date only: midnight UTC was taken')
  const isSeconds = typeof time === 'number' && time > 0 && time < SECONDS_BELOW
  if (isSeconds) notes.push('created_at looks like seconds and was read as such, milliseconds are expected')
  const createdAtMs = epochMs(isSeconds ? time * 1000 : time)
  return createdAtMs !== undefined && createdAtMs >= 0 && createdAtMs < CREATED_BEFORE_MS ? createdAtMs : undefined
}

/** Text of one registry entry (JSON) to an app. Null fields count as absent. */
export function parseApp(text: string): ParsedApp {
  let entry: unknown
  try {
    entry = parseExactly(text)
  } catch {
    return { problem: 'not JSON' }
  }
  if (!isObject(entry)) return { problem: 'not a JSON object' }
  const app = idOf(entry, 'app_id')
  if ('problem' in app) return app
  const owner = idOf(entry, 'owner_id')
  if ('problem' in owner) return owner
  const notes: string[] = []
  const createdAtMs = createdAt(entry['created_at'], notes)
  if (createdAtMs === undefined) {
    const expected = 'RFC 3339 text, or epoch milliseconds as a number, between 1970 and 2100'
    return { problem: `created_at must be ${expected}, found ${found(entry['created_at'])}` }
  }
  return {
    app: {
      app_id: app.id,
      owner_id: owner.id,
      name: textIn(entry, 'name', notes),
      description: textIn(entry, 'description', notes),
      website: textIn(entry, 'website', notes),
      callback_urls: callbacksIn(entry, notes),
      created_at: createdAtMs,
      tier: textIn(entry, 'tier', notes),
      status: textIn(entry, 'status', notes),
      limits: limitsIn(entry, notes),
    },
    createdAtMs,
    notes,
  }
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
