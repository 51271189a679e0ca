/**
 * The mapping layer: what a gateway logs becomes the fields of a request record (schemas/request-record.ts).
 *
 * A format only renames, splits and converts units. It never judges: what it returns is validated by decode.ts exactly like a
 * record that was sent in sidestep's own shape, so a format may pass on `undefined` or a wrong type where the log has one.
 */

/** A JSON object as it came out of a log: nothing is known about its fields yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What a format needs to know of the operator's network. */
export interface FormatOptions {
  /**
   * How many proxies in front of the gateway append to X-Forwarded-For and are trusted. 0 (the default) ignores the header: it
   * is client input. With n > 0 the client is the n-th address from the right.
   */
  readonly trustedHops: number
  /**
   * The header those proxies append to. Absent: X-Forwarded-For, or Forwarded (RFC 7239) when the log has no
   * X-Forwarded-For. Name it when the proxies append to Forwarded only: a client can then still send an
   * X-Forwarded-For of its own.
   */
  readonly forwardedHeader?: 'x-forwarded-for' | 'forwarded'
}

export interface LogFormat {
  readonly name: string
  /** One line on what writes such logs, for `--help`. */
  readonly summary: string
  /**
   * Text to object, for lines that are no JSON object. Absent: there are none. Returns undefined when the line is not in this format.
   */
  readonly parse?: (line: string) => JsonObject | undefined
  /** Fields of a request record, or undefined when the object is not a request (not in this format's shape). */
  readonly map: (entry: JsonObject, options: FormatOptions) => JsonObject | undefined
  /** Why `parse` or `map` gave nothing, and what to do; undefined when there is nothing to say. */
  readonly explain?: (found: string | JsonObject) => string | undefined
}
