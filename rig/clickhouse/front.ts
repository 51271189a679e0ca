/**
 * ClickHouse's HTTP interface over the embedded engine, for tests that need a server which can be killed and restarted.
 *
 * It speaks the part that @clickhouse/client uses: ping, queries in the URL or the body, typed parameters (`param_*`), settings, database
 * and format in the URL, packed bodies both ways, error codes and statuses, the summary header. As on a server, every request has a
 * session of its own, so settings do not outlive it. It does not speak: named sessions, roles, external tables, multipart bodies, and
 * inserts in binary formats.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress, gzipSync } from 'node:zlib'
import { Session, version } from 'chdb'
import { errorMessage } from '#lib/errors.ts'
import { engineErrorCode } from '#lib/engine-error.ts'
import { errorBody, errorStatus } from './http.ts'
import { insertOf } from './insert.ts'

export interface FrontOptions {
  /** Data directory; serves one process. */
  readonly dataDir: string
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Asked of every request but the ping, when set. */
  readonly password?: string | undefined
}

export interface Front {
  readonly port: number
  /** Answers what it has begun, then closes the engine. */
  close(): Promise<void>
}

/** URL parameters that are neither settings nor parameters of the statement; the settings of the HTTP layer, whose answers here are always complete before they are sent. */
const RESERVED: ReadonlySet<string> = new Set(
  `query query_id database default_format user password compress decompress quota_key wait_end_of_query buffer_size
   enable_http_compression http_zlib_compression_level cancel_http_readonly_queries_on_client_close send_progress_in_http_headers
   http_headers_progress_interval_ms http_response_buffer_size http_write_exception_in_output_format`.split(/\s+/),
)

const UNSUPPORTED: ReadonlySet<string> = new Set(['session_id', 'session_timeout', 'session_check', 'role'])

class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: number
  constructor(code: number, text: string) {
    super(errorBody(code, text))
    this.code = code
  }
}

export async function startFront(options: FrontOptions): Promise<Front> {
  // Held open, so that the engine stays up between requests.
  const keeper = new Session(options.dataDir)
  const server = createServer({ maxHeaderSize: 1_048_576 }, (request, response) => {
    void answer(options, request, response)
  })
  server.listen(options.port, options.host)
  await once(server, 'listening')
  return {
    port: portOf(server),
    async close() {
      server.close()
      server.closeIdleConnections()
      await once(server, 'close')
      keeper.close()
    },
  }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address')
  return address.port
}

async function answer(options: FrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://front')
  try {
    if (url.pathname === '/ping') return send(response, 200, {}, Buffer.from('Ok.\n'))
    if (url.pathname !== '/') return send(response, 404, {}, Buffer.from(`There is no handle ${url.pathname}\n`))
    checkPassword(options.password, request, url.searchParams)
    const body = await readBody(request)
    const result = await inSession(options.dataDir, request.method === 'GET', url.searchParams, body)
    const headers = {
      'X-ClickHouse-Query-Id': url.searchParams.get('query_id') ?? crypto.randomUUID(),
      'X-ClickHouse-Format': result.format,
      'X-ClickHouse-Summary': JSON.stringify(result.summary),
    }
    const packed = url.searchParams.get('enable_http_compression') === '1' && acceptsGzip(request)
    if (packed) send(response, 200, { ...headers, 'Content-Encoding': 'gzip' }, gzipSync(result.bytes))
    else send(response, 200, headers, result.bytes)
  } catch (error) {
    const code = error instanceof RequestError ? error.code : (engineErrorCode(error) ?? 1002)
    const message = errorMessage(error)
    const text = message.startsWith('Code: ') ? message : errorBody(code, message)
    const body = Buffer.from(`${text} (version ${version().libchdb.replaceAll('"', '')})\n`)
    send(response, errorStatus(code), { 'X-ClickHouse-Exception-Code': String(code) }, body)
  }
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: Uint8Array): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', 'Content-Length': body.length, ...headers })
  response.end(body)
}

function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
}

function checkPassword(expected: string | undefined, request: IncomingMessage, params: URLSearchParams): void {
  if (expected === undefined) return
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const fromBasic = Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':')
  const given = params.get('password') ?? request.headers['x-clickhouse-key'] ?? fromBasic
  if (given !== expected) {
    throw new RequestError(
      516,
      'default: Authentication failed: password is incorrect, or there is no user with such name',
    )
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  if (encoding === undefined) return await buffer(request)
  const unpackers = {
    gzip: createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
    zstd: createZstdDecompress,
  }
  const unpacker = Object.entries(unpackers).find(([name]) => name === encoding)?.[1]
  if (unpacker === undefined) throw new RequestError(48, `Content-Encoding ${encoding} is not spoken here`)
  return await buffer(request.pipe(unpacker()))
}

interface Result {
  readonly bytes: Uint8Array
  readonly format: string
  readonly summary: Readonly<Record<string, string>>
}

/** Runs the statement in a session that ends with it. */
async function inSession(dataDir: string, readonly: boolean, params: URLSearchParams, body: Buffer): Promise<Result> {
  const session = new Session(dataDir)
  try {
    for (const statement of preparations(params, readonly)) await session.queryAsync(statement)
    return await execute(session, params, body)
  } finally {
    session.close()
  }
}

/** What the URL asks for, as statements for the session. */
function preparations(params: URLSearchParams, readonly: boolean): string[] {
  const statements: string[] = []
  for (const [name, value] of params) {
    if (UNSUPPORTED.has(name)) throw new RequestError(48, `The URL parameter ${name} is not spoken here`)
    if (RESERVED.has(name)) continue
    if (!/^\w+$/.test(name)) throw new RequestError(115, `Setting ${name} is neither a builtin setting nor a parameter`)
    statements.push(`SET ${name} = ${quoted(value)}`)
  }
  const database = params.get('database')
  if (database !== null && database !== '') statements.push(`USE \`${database.replaceAll(/[\\`]/g, String.raw`\$&`)}\``)
  // As on a server: what GET may do changes nothing.
  if (readonly) statements.push('SET readonly = 2')
  return statements
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
}

async function execute(session: Session, params: URLSearchParams, body: Buffer): Promise<Result> {
  const inUrl = params.get('query') ?? ''
  const insert = insertOf(inUrl)
  const format = params.get('default_format') ?? 'TabSeparated'
  if (insert !== undefined) {
    if (insert.format === undefined)
      throw new RequestError(48, 'Only text formats can be inserted here: TabSeparated, CSV, JSONEachRow')
    if (insert.settings !== undefined) await session.queryAsync(`SET ${insert.settings}`)
    const written =
      body.length === 0 ? undefined : await session.insert({ ...insert.target, format: insert.format, values: body })
    return {
      bytes: Buffer.alloc(0),
      format,
      summary: summary(0, written?.rowsWritten ?? 0, written?.bytesWritten ?? 0),
    }
  }
  const statement = inUrl === '' ? body.toString() : `${inUrl}\n${body.toString()}`
  if (statement.trim() === '') throw new RequestError(62, 'Syntax error: the query is empty')
  const result = await session.queryAsync(statement, { format })
  return { bytes: result.bytes(), format, summary: summary(result.rowsRead, 0, 0) }
}

function summary(readRows: number, writtenRows: number, writtenBytes: number): Record<string, string> {
  return {
    read_rows: String(readRows),
    read_bytes: '0',
    written_rows: String(writtenRows),
    written_bytes: String(writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(readRows),
    result_bytes: '0',
    elapsed_ns: '0',
  }
}
