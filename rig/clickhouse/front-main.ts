/**
 * The front as a process of its own: `node rig/clickhouse/front-main.ts --data-dir DIR [--host H] [--port N] [--password P]`.
 * Prints `{"port":N}` once it listens; SIGTERM and SIGINT end it in order.
 */
import { parseArgs } from 'node:util'
import { startFront } from './front.ts'

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    password: { type: 'string' },
  },
})
const dataDir = values['data-dir']
if (dataDir === undefined) throw new Error('--data-dir is missing')

const front = await startFront({ dataDir, host: values.host, port: Number(values.port), password: values.password })
process.stdout.write(`${JSON.stringify({ port: front.port })}\n`)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void front.close()
  })
}
