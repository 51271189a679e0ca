/**
 * A query is a value: the text of a file under sql/queries, a zod schema for its parameters and one for its rows.
 *
 * The header of each file says which question it answers. Parameters are typed `{name:Type}` placeholders, bound by the
 * engine; nothing is ever spliced into SQL text.
 */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'

export interface SqlQuery<Params extends z.ZodType, Row extends z.ZodType> {
  /** File name without extension; also the `log_comment` under which the server logs the query. */
  readonly name: string
  readonly params: Params
  readonly row: Row
}

const texts = new Map<string, string>()

/** Text of sql/queries/<name>.sql, read once. */
export function sqlText(name: string): string {
  const known = texts.get(name)
  if (known !== undefined) return known
  const text = readFileSync(new URL(`../sql/queries/${name}.sql`, import.meta.url), 'utf8')
  texts.set(name, text)
  return text
}
