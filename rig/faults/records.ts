/** Records whose fate is known: numbered ones that are accepted, and poison that is not, whatever the block it comes in. */
import type { Rng } from '#simulate/random.ts'
import { numberedRecord } from '../requests.ts'

const DAY_MS = 86_400_000
const SPREAD_MS = 6 * 3_600_000

export type Value = string | Buffer | null

/** `request_id` is the number. Event times are of the last six hours, so that blocks share their buckets. */
export function goodValue(number: number, nowMs: number, ageMs: number = (number * 131) % SPREAD_MS): string {
  return JSON.stringify({ ...numberedRecord(number), timestamp: nowMs - ageMs, request_id: String(number) })
}

/** A good record, days old: accepted up to 30 days (EVENT_SPAN_DAYS). Half a day is kept from the bound, for the clock goes on. */
export function agedValue(
  number: number,
  nowMs: number,
  days: number,
): { readonly value: string; readonly isDead: boolean } {
  return { value: goodValue(number, nowMs, (days + 0.5) * DAY_MS), isDead: days >= 30 }
}

const POISON: readonly ((number: number, nowMs: number) => Value)[] = [
  () => 'not json',
  () => '',
  () => null,
  () => '[1]',
  () => Buffer.from([0xff, 0xfe, 0x7b]),
  () => '{"app_id":"a"}',
  () => '{"timestamp":"2026',
  (number) => withField(number, 'timestamp', '9999-12-31T23:59:59Z'),
  (number) => withField(number, 'timestamp', -1),
  (number) => withField(number, 'timestamp', Number.MAX_SAFE_INTEGER),
  (number) => withField(number, 'timestamp', '1969-12-31T23:59:59Z'),
  (number, nowMs) => withField(number, 'timestamp', nowMs + 3 * DAY_MS),
  (number, nowMs) => agedValue(number, nowMs, 40 + (number % 150)).value,
  (number) => withField(number, 'status_code', 4_294_967_297),
  (number) => withField(number, 'client_ip', '256.1.1.1'),
]
export const POISON_KINDS = POISON.length

function withField(number: number, field: string, value: unknown): string {
  return JSON.stringify({ ...numberedRecord(number), request_id: String(number), [field]: value })
}

export function poisonValue(kind: number, number: number, nowMs: number): Value {
  const make = POISON[kind % POISON.length]
  if (make === undefined) throw new RangeError(`no poison of kind ${kind}`)
  return make(number, nowMs)
}

/** A record and what the oracle writes down for it (oracle.ts). */
export interface KnownRecord {
  readonly entry: number
  readonly value: Value
}

export function knownRecord(number: number, nowMs: number, rng: Rng, poisonShare: number): KnownRecord {
  if (rng.next() >= poisonShare) return { entry: number, value: goodValue(number, nowMs) }
  return { entry: -1 - number, value: poisonValue(rng.below(POISON.length), number, nowMs) }
}
