/**
 * An HTTP proxy in front of ClickHouse that does to a request what networks and busy servers do. Faults are chosen by the test, request
 * by request; nothing is random here.
 */
import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { errorBody, errorStatus } from '../clickhouse/http.ts'

/**
 * - `cut-request`: half of the body is sent on, then both connections are reset: nothing was applied.
 * - `cut-response`: the server has answered in full, the client sees a reset: it was applied, and nobody knows. Before the `head` of the
 *   answer, or in its `body`, when the status has already said that all is well.
 * - `error`: an error of ClickHouse, instead of the server's answer; `after` the server has applied it, or `before` it hears of it.
 * - `hold`: goes on when `until` settles, before the server hears of it or after it has applied it.
 */
export type Fault =
  | { readonly kind: 'cut-request' }
  | { readonly kind: 'cut-response'; readonly at: 'head' | 'body' }
  | { readonly kind: 'error'; readonly code: number; readonly when: 'before' | 'after' }
  | { readonly kind: 'hold'; readonly until: Promise<unknown>; readonly when: 'before' | 'after' }

export interface SeenRequest {
  /** Counts from 1 over the life of the proxy. */
  readonly number: number
  /** The statement, wherever the client put it; cut at 2,000 characters. */
  readonly sql: string
}

export interface FaultProxy {
  /** For CLICKHOUSE_URL. */
  readonly url: string
  /** Asked for every request from now on; undefined lets it pass. */
  decide(choose: (request: SeenRequest) => Fault | undefined): void
  /** Every request so far, the oldest first. */
  readonly seen: readonly SeenRequest[]
  /** Refuses connections and resets those that are open. */
  refuse(): Promise<void>
  /** Accepts again, on the same port. */
  accept(): Promise<void>
  close(): Promise<void>
}

const SQL_CHARACTERS_MAX = 2_000

/** `target` is the server's URL. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: SeenRequest[] = []
  let choose: (request: SeenRequest) => Fault | undefined = passAll
  const server = createServer((request, response) => {
    const handled = async (): Promise<void> => {
      const body = await buffer(request)
      const url = new URL(request.url ?? '/', target)
      const sql = (url.searchParams.get('query') ?? body.toString('utf8', 0, SQL_CHARACTERS_MAX)).slice(
        0,
        SQL_CHARACTERS_MAX,
      )
      const one = { number: seen.length + 1, sql }
      seen.push(one)
      await pass(choose(one), url, request, response, body)
    }
    // A client that hangs up, or a server that is gone: the client sees a reset either way.
    handled().catch(() => request.socket.destroy())
  })
  const port = await listen(server, 0)
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    decide(next) {
      choose = next
    },
    async refuse() {
      await shut(server)
    },
    async accept() {
      await listen(server, port)
    },
    async close() {
      await shut(server)
    },
  }
}

function passAll(): undefined {
  return undefined
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address')
  return address.port
}

async function shut(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

async function pass(
  fault: Fault | undefined,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Promise<void> {
  if (fault?.kind === 'error' && fault.when === 'before') {
    sendError(response, fault.code)
    return
  }
  if (fault?.kind === 'cut-request') {
    await sendHalf(url, request, body)
    request.socket.resetAndDestroy()
    return
  }
  if (fault?.kind === 'hold' && fault.when === 'before') await fault.until
  const answer = await send(url, request, body)
  const answered = await buffer(answer)
  if (fault?.kind === 'hold' && fault.when === 'after') await fault.until
  if (fault?.kind === 'cut-response') {
    cutResponse(fault.at, answer, answered, request, response)
  } else if (fault?.kind === 'error') {
    sendError(response, fault.code)
  } else {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.end(answered)
  }
}

function cutResponse(
  at: 'head' | 'body',
  answer: IncomingMessage,
  body: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (at === 'head') {
    request.socket.resetAndDestroy()
    return
  }
  // One byte more is announced than comes, so that a short answer is cut as well.
  const { 'transfer-encoding': _chunked, ...headers } = answer.headers
  response.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': body.length + 1 })
  response.flushHeaders()
  response.write(body.subarray(0, Math.ceil(body.length / 2)), () => {
    // In order, so that the client reads what was sent before it learns of the end.
    request.socket.destroySoon()
  })
}

function sendError(response: ServerResponse, code: number): void {
  response.writeHead(errorStatus(code), { 'X-ClickHouse-Exception-Code': String(code), 'Content-Type': 'text/plain' })
  response.end(`${errorBody(code, 'Injected by the fault proxy')}\n`)
}

async function send(url: URL, request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const { 'transfer-encoding': _chunked, ...headers } = request.headers
    const sent = forward(url, {
      method: request.method,
      agent: false,
      headers: { ...headers, 'content-length': body.length },
    })
    sent.on('response', resolve).on('error', reject).end(body)
  })
}

/** Half of the body reaches the server, which waits for the rest until the connection is reset. */
async function sendHalf(url: URL, request: IncomingMessage, body: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    const { 'transfer-encoding': _chunked, ...headers } = request.headers
    const sent = forward(url, {
      method: request.method,
      agent: false,
      headers: { ...headers, 'content-length': body.length },
    })
    sent.on('error', () => {
      resolve()
    })
    sent.write(body.subarray(0, Math.floor(body.length / 2)), () => {
      sent.destroy()
      resolve()
    })
  })
}
