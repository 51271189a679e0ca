/** An INSERT whose rows come in the body of the request, taken apart for the embedded engine's raw insert. */
import type { RawInsertFormat } from 'chdb'

const RAW_FORMATS: readonly RawInsertFormat[] = [
  ...(['JSONEachRow', 'JSONCompactEachRow', 'CSV', 'CSVWithNames'] as const),
  ...(['TSV', 'TabSeparated', 'TSVWithNames', 'TabSeparatedWithNames'] as const),
]

const INSERT =
  /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([\w.`"]+)\s*(?:\(([^()]*)\))?\s*(?:SETTINGS\s+(.*?))?\s*FORMAT\s+(\w+)\s*;?\s*$/is

export interface BodyInsert {
  readonly target: { readonly table: string; readonly columns?: string[] }
  /** `name = value, …`, as in SET. */
  readonly settings: string | undefined
  /** undefined: a format that the engine does not take as bytes. */
  readonly format: RawInsertFormat | undefined
}

const bare = (name: string): string => name.trim().replaceAll(/[`"]/g, '')

/** undefined for every other statement. */
export function insertOf(sql: string): BodyInsert | undefined {
  const parts = INSERT.exec(sql)
  if (parts === null) return undefined
  const [, table = '', columns, settings, format = ''] = parts
  return {
    target:
      columns === undefined ? { table: bare(table) } : { table: bare(table), columns: columns.split(',').map(bare) },
    settings,
    format: RAW_FORMATS.find((known) => known.toLowerCase() === format.toLowerCase()),
  }
}
