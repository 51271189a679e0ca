/**
 * Rate-limit headers of a response, in every dialect that gateways send:
 *  - `RateLimit: "default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60` (draft-ietf-httpapi-ratelimit-headers-08 and later),
 *    and `RateLimit: limit=100, remaining=50, reset=30` (draft 07);
 *  - `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` (drafts up to 06; Kong);
 *  - `X-RateLimit-Limit` and so on, `X-Rate-Limit-Limit` and so on (Twitter; reset in epoch seconds);
 *  - one limit and remainder for each window, `X-RateLimit-Limit-Minute` (Kong), `x-ratelimit-limit-requests` and
 *    `-requests-day` (model APIs, beside the same for tokens).
 *
 * The three numbers come from one dialect, the first in that order that has a limit or a remainder: mixing two could
 * pair the limit of a day with the remainder of a minute. With several windows the one with the least left is reported,
 * as Kong does. What counts anything but requests (tokens, bytes, a quota with another `qu`) is not read. A value is read as a
 * whole or not at all: "unlimited" and -1 are absent, as these headers may come from any upstream service.
 */
import { UINT32_MAX } from '#schemas/request-record.ts'

import { parseRfc3339 } from '../timestamp.ts'
import { durationTextToMs } from './durations.ts'
import type { JsonObject } from './format.ts'
import { isObject, numberOf } from './values.ts'

/** Requests allowed, requests left, and seconds until the window ends (or epoch seconds when > 1e9). */
export interface RateLimit {
  readonly limit?: number | undefined
  readonly remaining?: number | undefined
  readonly reset?: number | undefined
}

const NONE: RateLimit = {}

/** Longer header values are not rate limits. */
const HEADER_MAX_CHARS = 1024

/** Above this a reset is in epoch milliseconds: 1e11 seconds is the year 5138. */
const EPOCH_MS_MIN = 1e11

interface Triple {
  limit?: number | undefined
  remaining?: number | undefined
  reset?: number | undefined
}

/** The headers found, by dialect. */
interface Dialects {
  structured?: string
  policy?: string
  readonly draft: Triple
  readonly legacy: Triple
  windows?: Map<string, Triple>
}

/** A count alone (600, 600.0), or first in the list of the older drafts (`100, 100;w=60`). */
const COUNT = /^\s*(\d{1,15})(?:\.0{1,9})?\s*(?:[,;][\s\w=,;."*-]*)?$/
/** Parameters that name a unit other than requests. */
const OTHER_UNIT = /;\s*(?:qu|unit|u)\s*=(?!\s*"?requests?\b)/

/** The count that a header value is, when a UInt32 column can hold it. */
function countOf(text: string): number | undefined {
  const count = OTHER_UNIT.test(text) ? Number.NaN : Number(COUNT.exec(text)?.[1])
  return count <= UINT32_MAX ? count : undefined
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Seconds of a number (epoch milliseconds are divided), a duration (6m0s), or a date. */
function resetOf(text: string): number | undefined {
  const number = numberOf(text.replace(/;.*$/s, ''))
  if (typeof number === 'number') return number > EPOCH_MS_MIN ? number / 1000 : number
  const milliseconds =
    durationTextToMs(text) ?? parseRfc3339(text) ?? (HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN)
  return milliseconds / 1000
}

/** Seconds from now or epoch seconds, fractions counted up; undefined when the text is neither. */
export function resetSeconds(text: string): number | undefined {
  const seconds = Math.ceil(resetOf(text.trim()) ?? Number.NaN)
  return seconds >= 0 && seconds <= UINT32_MAX ? seconds : undefined
}

/** A header value; of a header sent twice the first line, as most clients read it. */
function headerText(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  if (typeof first === 'number') return String(first)
  return typeof first === 'string' && first.length <= HEADER_MAX_CHARS ? first : undefined
}

function set(triple: Triple, kind: string, text: string): void {
  if (kind === 'limit') triple.limit = countOf(text)
  else if (kind === 'remaining') triple.remaining = countOf(text)
  else triple.reset = resetSeconds(text)
}

const CLASSIC =
  /^(x-)?rate(-)?limit-(limit|remaining|reset)(?:-(?:requests-)?(requests|second|minute|hour|day|week|month|year))?$/

/** Puts one header where it belongs; `name` in lower case with hyphens. */
function place(dialects: Dialects, name: string, text: string): void {
  if (name === 'ratelimit') dialects.structured = text
  else if (name === 'ratelimit-policy') dialects.policy = text
  const match = CLASSIC.exec(name)
  if (match === null) return
  const [, prefix, , kind = '', window] = match
  if (window === undefined) {
    set(prefix === undefined ? dialects.draft : dialects.legacy, kind, text)
    return
  }
  dialects.windows ??= new Map()
  const triple = dialects.windows.get(window) ?? {}
  dialects.windows.set(window, triple)
  set(triple, kind, text)
}

const ITEM = /(?:"([^"]*)"|([\w*.-]+))((?:\s*;\s*[a-z][\w*.-]*(?:\s*=\s*(?:"[^"]*"|[^;,"]*))?)*)/g

/** Parameters of a structured item: quota, remaining, time to reset. */
const QUOTA = /;\s*q\s*=\s*([^;]+)/
const REMAINING = /;\s*r\s*=\s*([^;]+)/
const TIME = /;\s*t\s*=\s*([^;]+)/

/** The number that a parameter gives in `;r=50;t=30`. */
function parameter(parameters: string, name: RegExp): number | undefined {
  const match = name.exec(parameters)
  return match === null ? undefined : countOf(match[1] ?? '')
}

/** The tighter of two: less left, then the smaller limit. */
function tighter(a: Triple | undefined, b: Triple): Triple {
  if (a === undefined) return b
  const left = (a.remaining ?? Infinity) - (b.remaining ?? Infinity)
  if (left !== 0 && !Number.isNaN(left)) return left < 0 ? a : b
  return (a.limit ?? Infinity) <= (b.limit ?? Infinity) ? a : b
}

function readStructured(text: string, policy: string | undefined): Triple {
  const old = /\b(?:limit|remaining)\s*=/.test(text)
  if (old) {
    const triple: Triple = {}
    for (const [, kind = '', value = ''] of text.matchAll(/\b(limit|remaining|reset)\s*=\s*([^,;]+)/g))
      set(triple, kind, value)
    return triple
  }
  const quotas = new Map<string, number | undefined>()
  const others = new Set<string>()
  for (const [, quoted, token, parameters = ''] of (policy ?? '').matchAll(ITEM)) {
    const name = quoted ?? token ?? ''
    if (OTHER_UNIT.test(parameters)) others.add(name)
    quotas.set(name, parameter(parameters, QUOTA))
  }
  let chosen: Triple | undefined
  for (const [, quoted, token, parameters = ''] of text.matchAll(ITEM)) {
    const name = quoted ?? token ?? ''
    if (others.has(name)) continue
    const remaining = parameter(parameters, REMAINING)
    const limit = quotas.get(name)
    chosen = tighter(chosen, { limit, remaining, reset: parameter(parameters, TIME) })
  }
  return chosen ?? {}
}

function hasNumbers(triple: Triple | undefined): triple is Triple {
  return triple?.limit !== undefined || triple?.remaining !== undefined
}

function choose(dialects: Dialects): RateLimit {
  const structured =
    dialects.structured === undefined ? undefined : readStructured(dialects.structured, dialects.policy)
  if (hasNumbers(structured)) return structured
  if (hasNumbers(dialects.draft)) return dialects.draft
  if (hasNumbers(dialects.legacy)) return dialects.legacy
  let window: Triple | undefined
  for (const triple of dialects.windows?.values() ?? []) window = tighter(window, triple)
  return hasNumbers(window) ? window : NONE
}

/** True when the character where a header name starts is r or x: rules out most keys of a log entry without a new string. */
function mayStartHeader(key: string, at: number): boolean {
  const code = key.charCodeAt(at) | 32
  return code === 114 || code === 120
}

/**
 * The rate limit told by `headers`: names in any case, with hyphens or underscores, each after `prefix` (for logs that
 * put headers among other fields, as `sent_http_ratelimit_limit`). Not an object, or no such header: all undefined.
 */
export function readRateLimit(headers: unknown, prefix = ''): RateLimit {
  if (!isObject(headers)) return NONE
  let dialects: Dialects | undefined
  for (const key of Object.keys(headers)) {
    if (!mayStartHeader(key, prefix.length) || !key.startsWith(prefix)) continue
    const name = key.slice(prefix.length).toLowerCase().replaceAll('_', '-')
    if (!name.startsWith('ratelimit') && !name.startsWith('x-rate')) continue
    const text = headerText(headers[key])
    if (text === undefined) continue
    dialects ??= { draft: {}, legacy: {} }
    place(dialects, name, text)
  }
  return dialects === undefined ? NONE : choose(dialects)
}

/** For formats that log no response headers. */
export function absentLimit(): RateLimit {
  return NONE
}

/** A reader of the rate limit told by the headers that `headers` finds. */
export function rateLimitIn(headers: (entry: JsonObject) => unknown): (entry: JsonObject) => RateLimit {
  return (entry) => readRateLimit(headers(entry))
}

/** Headers given as `[{ name, value }]` (OCSF) as an object; undefined for anything else. */
export function headersFromList(list: unknown): JsonObject | undefined {
  if (!Array.isArray(list)) return undefined
  const headers: Record<string, unknown> = {}
  for (const header of list) {
    if (isObject(header) && typeof header['name'] === 'string') headers[header['name']] ??= header['value']
  }
  return headers
}
