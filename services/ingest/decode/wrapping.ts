/**
 * What ships a log puts something around each line of it. What is known for certain is taken off: the format then reads the line that
 * the gateway wrote. Nothing is guessed: text that a client could have written is never taken for a wrapping.
 */
import type { JsonObject } from './formats/format.ts'
import { isObject } from './formats/values.ts'

const TIME = String.raw`\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?`

const PREFIXES: readonly RegExp[] = [
  // A byte order mark, or an indented line.
  /^[\ufeff\s]+(?=\S)/,
  // The log files of container runtimes (CRI); F is a full line, P a part of one.
  new RegExp(String.raw`^${TIME} (?:stdout|stderr) F `),
  // CloudWatch: the time of the event, with the name of the stream where `aws logs tail` prints it.
  new RegExp(String.raw`^${TIME} (?:[\w.:/[\]$-]{1,512} )?(?=\{)`),
  // syslog, RFC 3164 (nginx, HAProxy): <pri>Nov 20 10:00:00 host tag[pid]:
  /^(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} (?:[\w.:-]{1,255} )?[\w./-]{1,64}(?:\[\d{1,10}\])?: /,
  // syslog, RFC 5424: <pri>1 time host app pid msgid -
  new RegExp(String.raw`^<\d{1,3}>1 ${TIME} \S{1,255} \S{1,48} \S{1,128} \S{1,32} - \ufeff?`),
  // docker compose logs, kubectl logs --prefix
  /^[\w.-]{1,128} {1,64}\| /,
  /^\[pod\/[\w./-]{1,512}\] /,
]

/** The line without the prefix that a shipper of logs put before it; undefined when there is none. */
export function withoutPrefix(line: string): string | undefined {
  for (const prefix of PREFIXES) {
    const length = prefix.exec(line)?.[0].length ?? 0
    if (length > 0) return line.slice(length)
  }
  return undefined
}

/** The line that a JSON object wraps, or what is wrong with it. */
type Wrapped = { readonly line: string } | { readonly problem: string }

/** The events of a CloudWatch subscription or of `aws logs filter-log-events`. */
function eventsOf(entry: JsonObject): readonly unknown[] | undefined {
  const events = entry['logEvents'] ?? entry['events']
  return Array.isArray(events) && events.every((event) => isObject(event) && typeof event['message'] === 'string')
    ? events
    : undefined
}

/** A CloudWatch log event: its message, and the times and the id that CloudWatch gave it. */
function isLogEvent(entry: JsonObject): boolean {
  return entry['ingestionTime'] !== undefined || entry['eventId'] !== undefined || typeof entry['id'] === 'string'
}

/** What an object wraps that is no request in itself; undefined when it is no known wrapping. */
export function wrappedIn(entry: JsonObject): Wrapped | undefined {
  const { log, stream, message, MESSAGE: journal } = entry
  // Docker's json-file driver, and Fluent Bit after it.
  if (typeof log === 'string' && (stream === 'stdout' || stream === 'stderr')) return { line: log.trimEnd() }
  if (typeof journal === 'string' && entry['__REALTIME_TIMESTAMP'] !== undefined) return { line: journal }
  if (typeof message === 'string' && typeof entry['timestamp'] === 'number' && isLogEvent(entry))
    return { line: message }
  const events = eventsOf(entry)
  if (events === undefined || events.length === 0) return undefined
  const [only] = events
  if (events.length === 1 && isObject(only)) return { line: String(only['message']) }
  return { problem: `${events.length} log events in one line: write the message of each on a line of its own` }
}
