/** The HTTP side of every service: `/healthz` (alive), `/readyz` (can do its work now) and `/metrics`. */
import { once } from 'node:events'
import { createServer } from 'node:http'

import type { Registry } from 'prom-client'

import { errorMessage, SidestepError } from './errors.ts'

export interface StatusServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly registry: Registry
  /** What keeps the service from its work, in words; empty when it is ready. */
  readonly notReady: () => readonly string[]
}

export interface StatusServer {
  readonly port: number
  close(): Promise<void>
}

/** Listens. Throws SidestepError when the port is taken. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { registry, notReady } = options
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0]
    const send = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type }).end(body)
    }
    if (path === '/healthz') send(200, 'ok\n')
    else if (path === '/readyz') {
      const problems = notReady()
      send(problems.length === 0 ? 200 : 503, problems.length === 0 ? 'ready\n' : `${problems.join('\n')}\n`)
    } else if (path === '/metrics') {
      registry.metrics().then(
        (text) => send(200, text, registry.contentType),
        (error: unknown) => send(500, `${errorMessage(error)}\n`),
      )
    } else send(404, 'there are /healthz, /readyz and /metrics\n')
  })
  try {
    server.listen(options.port, options.host)
    await once(server, 'listening')
  } catch (error) {
    const where = `${options.host}:${options.port}`
    throw new SidestepError(
      'failure',
      `cannot listen on ${where}: ${errorMessage(error)}. Check HTTP_HOST and HTTP_PORT.`,
      { cause: error },
    )
  }
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
