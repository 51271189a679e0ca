/** Rows in ClickHouse's TabSeparated format, for tables that get few rows. The ingest path has an encoder of its own. */

type Value = string | number | null | readonly string[] | Readonly<Record<string, number>>

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
}

const escape = (text: string): string => text.replace(/[\\\t\n\r\0\b\f]/g, (c) => ESCAPES[c] ?? c)

/** Text inside an array or a map: escaped once, like a field, and quoted. Run: escaped twice, "it's" does not parse (code 130). */
const quoted = (text: string): string => `'${escape(text).replaceAll("'", "\\'")}'`

function isList(value: readonly string[] | Readonly<Record<string, number>>): value is readonly string[] {
  return Array.isArray(value)
}

function field(value: Value): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escape(value)
  if (isList(value)) return `[${value.map(quoted).join(',')}]`
  const pairs = Object.entries(value).map(([key, number]) => `${quoted(key)}:${number}`)
  return `{${pairs.join(',')}}`
}

/** One row, ended by a newline. null becomes NULL, an array of strings an Array(String), an object of numbers a Map(String, …). */
export function tabSeparatedRow(row: readonly Value[]): string {
  return `${row.map(field).join('\t')}\n`
}
