/** Why a record was not counted. A closed union: every reason has a row, a counter and a line in docs/runbook.md. */
import { z } from 'zod'

export const DeadReason = z.enum([
  'not_utf8',
  'not_json',
  'not_an_object',
  'unmapped',
  'missing_field',
  'wrong_type',
  'out_of_range',
  'bad_timestamp',
  'time_outside_span',
  'bad_address',
  'record_too_long',
  'refused_by_engine',
])
export type DeadReason = z.infer<typeof DeadReason>

/** A record that could not be accepted: data about bad data, never an exception. */
export interface DeadLetter {
  readonly reason: DeadReason
  /** What is wrong, naming the field; shown to people, so it never holds the whole record. */
  readonly detail: string
}
