/** Rows in ClickHouse's TabSeparated format, for tables that get few rows. The ingest path has an encoder of its own. */

type Value = string | number | null | readonly string[]

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

function field(value: Value): string {
  if (value === null) return '\\N'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escape(value)
  // An array is written as a literal whose strings are quoted, and the literal is escaped as a whole.
  return escape(`[${value.map((item) => `'${item.replace(/[\\']/g, '\\$&')}'`).join(',')}]`)
}

/** One row, ended by a newline. null becomes NULL, an array of strings an Array(String). */
export function tabSeparatedRow(row: readonly Value[]): string {
  return `${row.map(field).join('\t')}\n`
}
