/**
 * JSON as log writers produce it: what JSON.parse refuses for a fault of the writer that leaves no doubt what was meant is read, and
 * numbers that a double would round can be read exactly.
 */

/** JSON text with the faults mended of which the meaning is certain, or undefined when it has none of them. */
export function mendJson(text: string): string | undefined {
  const mended = text.replaceAll(TOKEN, (token: string, colon: string | undefined) => {
    if (colon !== undefined) return `${colon}null`
    return token.includes(String.raw`\x`) ? token.replaceAll(ESCAPE, mendEscape) : token
  })
  return mended === text ? undefined : mended
}

/**
 * A string, to its quote or to the end of the line; or a place for a value that holds nothing, as a template leaves it whose variable is
 * empty, '-' (AWS) or no number (NaN).
 */
const TOKEN = /"(?:[^"\\]|\\[\s\S])*(?:"|$)|(:\s*)(?:-|NaN|-?Infinity|undefined)?(?=\s*[,}])/g

/** nginx's default escaping: a byte as \xHH, also of `"` and `\`. It is no JSON, but in a string it can be nothing else. */
const ESCAPE = /(?:\\x[\da-f]{2})+|\\[\s\S]/gi

function mendEscape(escape: string): string {
  if (!escape.startsWith(String.raw`\x`) || escape.length < 4) return escape
  const bytes = Buffer.from(escape.replaceAll(String.raw`\x`, ''), 'hex')
  return JSON.stringify(bytes.toString('utf8')).slice(1, -1)
}

const WHOLE = /^-?\d+$/

/** A JSON value in which whole numbers that a double would round are the text of their digits. Throws what JSON.parse throws. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value
    return context?.source !== undefined && WHOLE.test(context.source) ? context.source : value
  })
}

/** A line of an array or of an object that is written over several lines. */
const PART_OF_FILE = /^\s*(?:[[{]\s*$|[\]}],?\s*$|"[^"]{0,128}"\s*:)/

/** What JSON.parse says, without the excerpt of the record that V8 puts into it. */
export function jsonProblem(text: string, error: unknown): string {
  if (PART_OF_FILE.test(text))
    return "a part of an object or array over several lines: write one object a line (jq -c '.[]' or jq -c .)"
  const message = error instanceof Error ? error.message : String(error)
  return `not JSON: ${message
    .replace(/,? *\.*"[\s\S]*$/, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 120)}`
}

/** Where text follows after a whole JSON value, as JSON.parse says it. */
const REST_AT = /after JSON at position (\d+)/

/** True when a whole object is followed by the beginning of another: a writer that puts no newline between records. */
export function holdsSeveral(text: string, error: unknown): boolean {
  const at = REST_AT.exec(error instanceof Error ? error.message : '')?.[1]
  return at !== undefined && text.charAt(0) === '{' && text.charAt(Number(at)) === '{'
}
