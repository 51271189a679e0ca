/**
 * What the fast path is not sure of: a record with something odd in it becomes a clean one, or a dead letter that says what was found.
 *
 * A record is dead only when something that detection cannot do without cannot be read: time, app, address, method, route, status. All
 * else is in the client's hand, and no header that a client pads or breaks may make its requests disappear: text is cut or repaired
 * (U+FFFD), what cannot be used is left out, and each is told by field, to be counted. Ids are never made equal: an application's id is
 * taken whole or not at all, the id of a user or a credential that is too long ends in a digest, and one that is damaged is left out.
 */
import { hash } from 'node:crypto'

import type { DeadLetter } from '#schemas/dead-letter.ts'
import { UINT32_MAX } from '#schemas/request-record.ts'

import { canonicalAddress } from './address.ts'
import { CHARS_MAX, checkFields, epochMs, UNBOUNDED, upperMethod } from './fast-path.ts'
import { bareAddress } from './formats/client-address.ts'
import { FieldName } from './formats/fields.ts'
import type { JsonObject } from './formats/format.ts'
import { isInexact, isPresent, millisecondsOf, numberOf, textOf, timestampOf } from './formats/values.ts'
import type { LandingRecord, TimeSpan } from './landing-record.ts'
import { notATime, outsideSpan, unusable } from './refusal.ts'
import { normaliseRoute } from './route.ts'

/** What became of a value that could not be stored as it was. */
export interface Adjustment {
  readonly field: FieldName
  readonly change: 'cut' | 'repaired' | 'left out'
}

/** Records by what was done to which field: "user_agent cut". */
export type AdjustedCounts = Map<`${FieldName} ${Adjustment['change']}`, number>

export function countAdjusted(counts: AdjustedCounts, adjusted: readonly Adjustment[]): void {
  for (const { field, change } of adjusted) {
    const key = `${field} ${change}` as const
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
}

interface Repaired {
  readonly record: LandingRecord
  readonly adjusted: readonly Adjustment[]
}

/** What is known of the line in which a record stands. */
interface LineState extends TimeSpan {
  /** Bytes that were no UTF-8 are U+FFFD now. */
  readonly isDamaged: boolean
}

interface Clean {
  readonly value: string | number | undefined
  readonly change?: Adjustment['change']
}
type Cleaned = Clean | DeadLetter

const ABSENT: Clean = { value: undefined }
const LEFT_OUT: Clean = { value: undefined, change: 'left out' }

/** True for text that is not what was written: half a surrogate pair, or bytes that were no UTF-8. */
function isBroken(text: string, line: LineState): boolean {
  return !text.isWellFormed() || (line.isDamaged && text.includes('\ufffd'))
}

/** True for more than `max` characters, which are code points as in the schema. */
function isLong(text: string, max: number): boolean {
  return text.length > max && (text.length > 2 * max || Array.from(text).length > max)
}

/** The beginning of a text, never through the middle of a character. */
function cut(text: string, max: number): string {
  const isHighSurrogate = (text.charCodeAt(max - 1) & 0xfc00) === 0xd800
  return text.slice(0, isHighSurrogate ? max - 1 : max).toWellFormed()
}

/** Hexadecimal digits that tell ids apart which begin alike: 64 bits. */
const DIGEST_CHARS = 16

/** A long id as its beginning and a digest of the whole: equal ids stay equal, different ones different. */
function digested(text: string, max: number): string {
  return `${cut(text, max - DIGEST_CHARS - 1)}~${hash('sha256', text).slice(0, DIGEST_CHARS)}`
}

type TextField = keyof typeof CHARS_MAX
const IDENTITIES: ReadonlySet<FieldName> = new Set(['user_id', 'credential_id'])

function cleanText(field: TextField, raw: unknown, line: LineState): Clean {
  const text = textOf(raw)
  if (text === undefined) return isPresent(raw) ? LEFT_OUT : ABSENT
  const isIdentity = IDENTITIES.has(field)
  const broken = isBroken(text, line)
  if (isInexact(text) || (isIdentity && broken)) return LEFT_OUT
  const max = CHARS_MAX[field]
  // The schema bounds all but user agents, in code points; those are cut by UTF-16 units.
  const long = field === 'user_agent' ? text.length > max : isLong(text, max)
  if (long) return { value: isIdentity ? digested(text, max) : cut(text, max), change: 'cut' }
  return broken ? { value: text.toWellFormed(), change: 'repaired' } : { value: text }
}

function cleanAppId(raw: unknown, line: LineState): Cleaned {
  const text = textOf(raw)
  if (text === undefined) return unusable('app_id', raw, 'text')
  if (isInexact(text))
    return { reason: 'out_of_range', detail: 'app_id is a number beyond 2^53 that was rounded: write ids as text' }
  if (isBroken(text, line))
    return { reason: 'not_utf8', detail: 'app_id holds bytes that are not UTF-8, or half a surrogate pair' }
  if (!isLong(text, CHARS_MAX.app_id)) return { value: text }
  const detail = `app_id has ${text.length} characters, at most ${CHARS_MAX.app_id} are taken`
  return { reason: 'out_of_range', detail }
}

function cleanMethod(raw: unknown, line: LineState): Cleaned {
  const method = cleanText('method', typeof raw === 'string' ? upperMethod(raw) : undefined, line)
  return method.value === undefined ? unusable('method', raw, 'text') : method
}

/** The query is no part of a route, so its length is nothing to speak of. */
function cleanRoute(raw: unknown, line: LineState): Cleaned {
  if (typeof raw !== 'string' || !isPresent(raw)) return unusable('route', raw, 'text')
  const end = raw.search(/[?#]/)
  const path = end < 0 ? raw : raw.slice(0, end)
  const value = normaliseRoute(raw.toWellFormed())
  if (isLong(path, CHARS_MAX.route)) return { value, change: 'cut' }
  return isBroken(path, line) ? { value, change: 'repaired' } : { value }
}

function cleanAddress(raw: unknown): Cleaned {
  if (typeof raw !== 'string' || !isPresent(raw)) return unusable('client_ip', raw, 'text')
  const value = canonicalAddress(bareAddress(raw) ?? '')
  if (value !== undefined) return { value }
  return { reason: 'bad_address', detail: `client_ip is neither IPv4 nor IPv6, found text of ${raw.length} characters` }
}

function cleanTime(raw: unknown, line: LineState): Cleaned {
  const time = timestampOf(raw)
  if (typeof time !== 'string' && typeof time !== 'number')
    return unusable('timestamp', raw, 'RFC 3339 text, or epoch milliseconds as a number')
  const value = epochMs(time)
  if (value === undefined)
    return typeof time === 'string' ? notATime(time) : unusable('timestamp', raw, 'epoch milliseconds')
  return value >= line.earliestMs && value < line.latestMs ? { value } : outsideSpan(time, value, line)
}

/** What HAProxy and others log when no answer was sent. */
const NO_STATUS = -1

function cleanStatus(raw: unknown): Cleaned {
  const expected = 'a whole number from 100 to 599, or 0 for no answer'
  const status = numberOf(raw)
  if (typeof status !== 'number') return unusable('status_code', status, expected)
  if (status === NO_STATUS) return { value: 0 }
  if (status === 0 || (Number.isInteger(status) && status >= 100 && status <= 599)) return { value: status }
  return { ...unusable('status_code', status, expected), reason: 'out_of_range' }
}

function cleanCount(raw: unknown, max: number): Clean {
  const value = numberOf(raw)
  if (value === undefined) return ABSENT
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max ? { value } : LEFT_OUT
}

function cleanDuration(raw: unknown): Clean {
  const value = millisecondsOf(raw, 'ms')
  if (value === undefined) return ABSENT
  return typeof value === 'number' && value >= 0 && value <= UINT32_MAX ? { value } : LEFT_OUT
}

/** How each field is cleaned, in the order in which a dead letter names the first that cannot be. */
const CLEAN: Readonly<Record<FieldName, (raw: unknown, line: LineState) => Cleaned>> = {
  timestamp: cleanTime,
  app_id: cleanAppId,
  client_ip: cleanAddress,
  method: cleanMethod,
  route: cleanRoute,
  status_code: cleanStatus,
  user_id: (raw, line) => cleanText('user_id', raw, line),
  request_id: (raw, line) => cleanText('request_id', raw, line),
  credential_id: (raw, line) => cleanText('credential_id', raw, line),
  user_agent: (raw, line) => cleanText('user_agent', raw, line),
  ratelimit_limit: (raw) => cleanCount(raw, UINT32_MAX),
  ratelimit_remaining: (raw) => cleanCount(raw, UINT32_MAX),
  ratelimit_reset: (raw) => cleanCount(raw, UINT32_MAX),
  duration_ms: cleanDuration,
  request_bytes: (raw) => cleanCount(raw, Number.MAX_SAFE_INTEGER),
  response_bytes: (raw) => cleanCount(raw, Number.MAX_SAFE_INTEGER),
  host: (raw, line) => cleanText('host', raw, line),
  region: (raw, line) => cleanText('region', raw, line),
  gateway: (raw, line) => cleanText('gateway', raw, line),
  trace_id: (raw, line) => cleanText('trace_id', raw, line),
}

/** The row of an entry with what was done to its fields, or why it is none. Total: any object gives one or the other. */
export function repair(entry: JsonObject, line: LineState): Repaired | DeadLetter {
  const fields: Record<string, string | number | undefined> = {}
  const adjusted: Adjustment[] = []
  for (const field of FieldName.options) {
    const cleaned = CLEAN[field](entry[field], line)
    if ('reason' in cleaned) return cleaned
    fields[field] = cleaned.value
    if (cleaned.change !== undefined) adjusted.push({ field, change: cleaned.change })
  }
  const record = checkFields(fields, line, UNBOUNDED)
  if (record !== undefined) return { record, adjusted }
  return { reason: 'out_of_range', detail: 'the record cannot be stored' }
}
