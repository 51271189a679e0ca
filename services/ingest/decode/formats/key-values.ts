/** Lines of `key="value"` pairs, as nginx log formats append them and as logfmt writes them. */

/** Longest line that is looked at; access log lines are cut by their writers well below this. */
const LINE_MAX_CHARS = 65_536

const QUOTED = /(?:^|[\s,])([A-Za-z_][\w.@-]{0,63})="((?:[^"\\]|\\.)*)"/g
const QUOTED_OR_BARE = /(?:^|\s)([A-Za-z_][\w.@-]{0,63})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/g

const ESCAPED = /((?:\\x[0-9A-Fa-f]{2})+)|\\(["\\])/g

/** Turns \xHH back into bytes (of UTF-8), and \" and \\ into the character: nginx's default escaping, and logfmt's. */
export function unescapeQuoted(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(ESCAPED, (_, bytes: string | undefined, character: string | undefined) =>
    bytes === undefined ? (character ?? '') : Buffer.from(bytes.replaceAll(String.raw`\x`, ''), 'hex').toString('utf8'),
  )
}

/**
 * The pairs of a line, as an object without prototype; the first of a repeated key counts, so that a value written
 * later in the line cannot replace one that the gateway wrote before it. `bare` takes unquoted values too.
 */
export function keyValues(line: string, bare: boolean): Record<string, unknown> {
  const pairs: Record<string, unknown> = Object.create(null)
  if (line.length > LINE_MAX_CHARS) return pairs
  for (const [, key = '', quoted, plain] of line.matchAll(bare ? QUOTED_OR_BARE : QUOTED)) {
    pairs[key] ??= quoted === undefined ? plain : unescapeQuoted(quoted)
  }
  return pairs
}
