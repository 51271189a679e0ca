/**
 * What an error of the engine means for an insert, told by its code. (One exception: the server's client gives a time-out no code.)
 */
/** Values that do not fit their column: the block is refused whole, and would be again. */
const DATA_CODES: ReadonlySet<number> = new Set([
  6, // CANNOT_PARSE_TEXT
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  131, // TOO_LARGE_STRING_SIZE
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  675, // CANNOT_PARSE_IPV4
  676, // CANNOT_PARSE_IPV6
])

/** States that pass: the same insert under the same token may well succeed later. */
const PASSING_CODES: ReadonlySet<number> = new Set([
  159, // TIMEOUT_EXCEEDED
  164, // READONLY, while a server starts or a replica catches up
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED, while a server stops
  241, // MEMORY_LIMIT_EXCEEDED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  // TOO_MANY_PARTS: merges are behind. Some tables may have the block by then, so it must not be cut. (Too many partitions in one block
  // has the same code; max_partitions_per_insert_block = 0 rules it out.)
  252,
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  290, // LIMIT_EXCEEDED
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  425, // SYSTEM_ERROR
  439, // CANNOT_SCHEDULE_TASK
  473, // DEADLOCK_AVOIDED
  999, // KEEPER_EXCEPTION
])

/**
 * ClickHouse's error number, where the engine answered with one. The two clients have error classes of their own (the server's with
 * `code` as digits, the embedded engine's with `clickhouseCode`), of which packages carry copies, so the fields are looked at, not the class.
 */
export function engineErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('clickhouseCode' in error && typeof error.clickhouseCode === 'number') return error.clickhouseCode
  if ('code' in error && typeof error.code === 'string' && /^\d+$/.test(error.code)) return Number(error.code)
  return engineErrorCode(error.cause)
}

/**
 * `passing`: try again later (the engine is busy, or was not reached); `data`: some row is at fault; `fatal`: neither time nor other
 * rows help (a table is missing, the disk is broken, a bug).
 */
export type InsertErrorKind = 'passing' | 'data' | 'fatal'

/** System error codes of a server that was not reached or went away. */
const CONNECTION_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error && typeof error.code === 'string' && CONNECTION_CODES.has(error.code)) return true
  // The server's client has no class or code for a request that timed out or a socket that hung up: only these two texts.
  if (error.message === 'Timeout error.' || error.message === 'socket hang up') return true
  return isConnectionError(error.cause)
}

export function insertErrorKind(error: unknown): InsertErrorKind {
  const code = engineErrorCode(error)
  if (code !== undefined) {
    if (DATA_CODES.has(code)) return 'data'
    return PASSING_CODES.has(code) ? 'passing' : 'fatal'
  }
  return isConnectionError(error) ? 'passing' : 'fatal'
}

/** True when the same insert, or question, may well succeed later. */
export function isPassing(error: unknown): boolean {
  return insertErrorKind(error) === 'passing'
}
