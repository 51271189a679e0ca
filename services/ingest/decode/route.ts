/**
 * From a raw path, or a template in any framework's spelling, to the one spelling of a route: `/2/users/:id/tweets`.
 *
 * Guarantees: total (never throws), idempotent, at most 512 characters, begins with '/', holds no query, and no segment
 * of digits only beyond the first. A wrong guess costs little in one direction and much in the other: two endpoints
 * folded into one lose detail, while ids left in a route make every request a route of its own and no two applications
 * look alike. So in doubt a segment is an id.
 */

/** Bound of `route` in schemas/request-record.ts. */
const ROUTE_MAX_CHARS = 512
/** Nothing after this many characters of a raw path can matter: it bounds the work that one hostile line costs. */
const RAW_MAX_CHARS = 4096
/** Longest literal segment; endpoints are not named in more. */
const SEGMENT_MAX_CHARS = 64

const UUID = /^\{?[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\}?$/i
const HEX = /^(?:0x)?[\da-f]{16,}$/i
/** Numbers and what is made of them: decimals, dates, coordinates, IPv4 addresses, lists of ids. */
const NUMERIC = /^[\d.,:+_~-]*\d[\d.,:+_~-]*$/
/** Two groups of hexadecimal digits and colons: IPv6 and hardware addresses. */
const COLON_HEX = /^[\da-f]*:[\da-f]*:[\da-f:.]*$/i
/** API versions that may stand first: 2, 1.1, 2010-04-01. */
const LEADING_VERSION = /^(?:\d{1,2}(?:\.\d{1,2}){0,2}|\d{4}-\d{2}-\d{2})$/
/** API versions that may stand anywhere: v1, v1.1, v2beta1, v20240101. */
const VERSION = /^v\d{1,8}(?:[._]\d{1,4}){0,2}(?:(?:alpha|beta|rc)\d{0,2})?$/i
/** Ids with a type before them, as cus_NffrFeUfNV2Hib. */
const PREFIXED = /^[a-z]{1,8}_(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[A-Za-z\d]{8,}$/
/** Ids made of a name and a number: ABC-12, user-1234. */
const NUMBERED = /^[A-Z][A-Z\d]*-\d+$|[-_]\d{3,}$/
/** Characters of a literal segment. Anything else is free text that a client put in the path: search terms, names, attacks. */
const LITERAL = /^[\w.~!$'*+,=:@()-]+$/

/** Short words, which no rule for ids can match. */
const PLAIN_WORD = /^[A-Za-z_-]{1,15}$/

/** A parameter in sidestep's spelling, with a file extension or a custom verb after it: `:id`, `:id.json`, `:id:cancel`. */
const PARAMETER = /^:[A-Za-z_]\w{0,31}(?:[.:][A-Za-z]\w{0,15}){0,2}$/
/** `{id}`, `{id:[0-9]+}`, `{proxy+}`, `<id>`, `<int:id>`, `[id]`, and `{id}.json`. */
const FOREIGN_PARAMETER = /^(?:\{([^{}]*)\}|<([^<>]*)>|\[([^[\]]*)\])([.:][A-Za-z]\w{0,15})?$/
/** An id with file extensions or a custom verb: 123.json, 123.tar.gz, 123:cancel. */
const SUFFIXED = /^(.+?)((?:[.:][A-Za-z]\w{0,15}){1,2})$/
/** OData keys: Users(123). */
const KEYED = /^([A-Za-z]\w{0,47})\(.*\)$/s

/** Digits in a segment from which on it is no name: rfc7231 and iso8601 have four. */
const DIGITS_MIN = 5

function countDigits(segment: string): number {
  let digits = 0
  for (let index = 0; index < segment.length; index += 1) {
    const code = segment.charCodeAt(index)
    if (code >= 48 && code <= 57) digits += 1
  }
  return digits
}

/** Long tokens of mixed case with digits, as base64url and base62 give; convertBase64ToImage is a name. */
function isToken(segment: string): boolean {
  if (segment.length < 16 || !/^[\w-]+=*$/.test(segment) || !/[a-z]/.test(segment) || !/[A-Z]/.test(segment))
    return false
  return segment.length >= 24 || /\d[^\d]+\d/.test(segment)
}

/** True when a segment names a thing, not an operation. `position` counts from 0. */
function isId(segment: string, position: number): boolean {
  if (segment.length > SEGMENT_MAX_CHARS || !LITERAL.test(segment) || segment.includes('@')) return true
  const digits = countDigits(segment)
  if (digits === 0) return HEX.test(segment) || UUID.test(segment) || COLON_HEX.test(segment)
  if (position === 0 && LEADING_VERSION.test(segment)) return false
  if (VERSION.test(segment)) return false
  return (
    digits >= DIGITS_MIN ||
    NUMERIC.test(segment) ||
    HEX.test(segment) ||
    UUID.test(segment) ||
    COLON_HEX.test(segment) ||
    PREFIXED.test(segment) ||
    NUMBERED.test(segment) ||
    isToken(segment)
  )
}

/** The name in `{id:[0-9]+}` (before the colon), `<int:id>` (after it) or `{proxy+}`; `id` when there is none that can be kept. */
function parameterName(inner: string, isAngled: boolean): string {
  const colon = inner.indexOf(':')
  const named = colon < 0 ? inner : isAngled ? inner.slice(colon + 1) : inner.slice(0, colon)
  const name = named.replaceAll(/\W/g, '').slice(0, 32)
  return /^[A-Za-z_]/.test(name) ? name : 'id'
}

/** A segment with its percent-encoding undone where that gives plain text; '' stands for "free text". */
function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    const decoded = decodeURIComponent(segment)
    return decoded.includes('/') || decoded.includes('%') || decoded.includes(';') ? '' : decoded
  } catch {
    // Malformed encoding is free text like any other.
    return ''
  }
}

/** A parameter in any framework's spelling as sidestep's; what opens like one and is none is an id. */
function parameterOf(segment: string): string {
  const match = FOREIGN_PARAMETER.exec(segment)
  if (match === null) return ':id'
  const [, braced, angled, bracketed, suffix = ''] = match
  return `:${parameterName(braced ?? angled ?? bracketed ?? '', angled !== undefined)}${suffix}`
}

/** `:id.json` of 123.json; undefined when there is no suffix or nothing before it that is an id. */
function suffixedId(segment: string, position: number): string | undefined {
  const match = VERSION.test(segment) ? null : SUFFIXED.exec(segment)
  const [, stem = '', suffix = ''] = match ?? []
  // One further on: a version that stands first is a name, not the stem of a file.
  if (match === null || !isId(stem, position + 1)) return undefined
  return stem.includes('@') ? ':id' : `:id${suffix}`
}

/** The template of one segment, without the slash. */
function templateOfSegment(segment: string, position: number): string {
  // The two kinds of segment that most paths are made of, before any of the dear questions.
  if (PLAIN_WORD.test(segment)) return segment
  if (position > 0 && /^\d+$/.test(segment)) return ':id'
  const first = segment.charAt(0)
  if (first === ':') return PARAMETER.test(segment) ? segment : ':id'
  if (first === '{' || first === '<' || first === '[') return parameterOf(segment)
  if (position === 0 && LEADING_VERSION.test(segment)) return segment
  const suffixed = suffixedId(segment, position)
  if (suffixed !== undefined) return suffixed
  const keyed = KEYED.exec(segment)
  if (keyed !== null) return `${keyed[1] ?? ''}(:id)`
  return isId(segment, position) ? ':id' : segment
}

/** The path of a URL or path: no scheme and host, query, or fragment. */
function pathOf(raw: string): string {
  const bounded = raw.length > RAW_MAX_CHARS ? raw.slice(0, RAW_MAX_CHARS) : raw
  const end = bounded.search(/[?#]/)
  const path = end < 0 ? bounded : bounded.slice(0, end)
  const authority = /^[a-z][a-z\d+.-]*:\/\/[^/]*/i.exec(path)
  return authority === null ? path : path.slice(authority[0].length)
}

function templateOfPath(raw: string): string {
  const kept: string[] = []
  for (const part of pathOf(raw.trim()).split('/')) {
    const matrix = part.indexOf(';')
    const segment = decodeSegment(matrix < 0 ? part : part.slice(0, matrix))
    if (segment === '.' || part === '' || matrix === 0) continue
    if (segment === '..') kept.pop()
    else kept.push(segment === '' ? ':id' : templateOfSegment(segment, kept.length))
  }
  let route = ''
  for (const segment of kept) {
    if (route.length + 1 + segment.length > ROUTE_MAX_CHARS) break
    route += `/${segment}`
  }
  return route === '' ? '/' : route
}

/**
 * Remembers what a pure function gave, for at least the last `capacity` texts: when the young map is full it becomes
 * the old one, and what is still in use moves over. A hit costs one Map lookup; memory holds at most two maps.
 */
function memoised(pure: (text: string) => string, capacity: number): (text: string) => string {
  let young = new Map<string, string>()
  let old = new Map<string, string>()
  return (text) => {
    const known = young.get(text)
    if (known !== undefined) return known
    if (text.length > ROUTE_MAX_CHARS) return pure(text)
    const result = old.get(text) ?? pure(text)
    if (young.size >= capacity) {
      old = young
      young = new Map()
    }
    young.set(text, result)
    return result
  }
}

/** Routes remembered: at 100 bytes each, two maps of 20,000 are 4 MB. */
const ROUTES_REMEMBERED = 20_000

/** The route of a raw path, a URL or a template. See the head of this file for what is promised. */
export const normaliseRoute: (raw: string) => string = memoised(templateOfPath, ROUTES_REMEMBERED)
