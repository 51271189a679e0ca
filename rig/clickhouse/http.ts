/** What ClickHouse's HTTP interface says when a statement fails. */

const STATUS: Readonly<Record<number, number>> = {
  // What was sent does not parse.
  6: 400,
  26: 400,
  27: 400,
  36: 400,
  38: 400,
  41: 400,
  43: 400,
  53: 400,
  62: 400,
  69: 400,
  70: 400,
  72: 400,
  117: 400,
  // Something named does not exist.
  16: 404,
  46: 404,
  47: 404,
  50: 404,
  60: 404,
  73: 404,
  81: 404,
  115: 404,
  192: 403,
  193: 403,
  516: 403,
  48: 501,
  159: 504,
  209: 503,
  439: 503,
}

/** The status that a server sends with this error code; 500 for most. */
export function errorStatus(code: number): number {
  return STATUS[code] ?? 500
}

const NAMES: Readonly<Record<number, string>> = {
  48: 'NOT_IMPLEMENTED',
  159: 'TIMEOUT_EXCEEDED',
  209: 'SOCKET_TIMEOUT',
  210: 'NETWORK_ERROR',
  241: 'MEMORY_LIMIT_EXCEEDED',
  252: 'TOO_MANY_PARTS',
  516: 'AUTHENTICATION_FAILED',
  1002: 'UNKNOWN_EXCEPTION',
}

/** The body of an error, as the engine words it. */
export function errorBody(code: number, text: string): string {
  return `Code: ${code}. DB::Exception: ${text}. (${NAMES[code] ?? 'UNKNOWN_EXCEPTION'})`
}
