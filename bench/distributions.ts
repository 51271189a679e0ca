/**
 * Do our simulated worlds cover somebody else's traffic? Distributions over apps, networks, users and agents of a file of requests,
 * beside the range that the same quantiles have over several seeds of a kind of world.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { createZstdDecompress } from 'node:zlib'
import Table from 'cli-table3'
import { z } from 'zod'
import type { WorldKind } from '#simulate/conditions.ts'
import { generate } from '#simulate/engine.ts'
import { createPlan } from '#simulate/plan.ts'
import { AppTally, type Sent } from './app-tally.ts'

const QUANTILES = [0.1, 0.5, 0.9, 0.99] as const

const Line = z.object({
  timestamp: z.string(),
  app_id: z.string(),
  client_ip: z.string(),
  method: z.string(),
  route: z.string(),
  status_code: z.number(),
  user_id: z.string().optional(),
  user_agent: z.string().optional(),
})

function sentOf(line: string): Sent {
  const {
    timestamp,
    app_id: app,
    client_ip: ip,
    method,
    route,
    status_code: status,
    user_id: user,
    user_agent: agent,
  } = Line.parse(JSON.parse(line))
  // An IPv6 customer has a /64, so that is one network.
  const network = ip.includes(':') ? ip.split(':').slice(0, 4).join(':') : ip
  return {
    atMs: Date.parse(timestamp),
    app,
    network,
    route: `${method} ${route}`,
    refused: status === 429,
    user,
    agent,
  }
}

async function tallyFile(path: string): Promise<AppTally> {
  const file = createReadStream(path)
  const tally = new AppTally()
  const input = path.endsWith('.zst') ? file.pipe(createZstdDecompress()) : file
  for await (const line of createInterface({ input })) if (line !== '') tally.add(sentOf(line))
  return tally
}

function tallyWorld(seed: number, world: WorldKind, apps: number, requests: number): AppTally {
  const plan = createPlan({ seed, world, apps, requests })
  const tally = new AppTally()
  for (const block of generate(plan, plan.pace)) for (const line of block.lines) tally.add(sentOf(line))
  return tally
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

function quantilesOf(values: readonly number[]): number[] {
  const sorted = values.toSorted((left, right) => left - right)
  return QUANTILES.map((share) => quantile(sorted, share))
}

const short = (value: number): string => String(Number(value.toPrecision(3)))

export interface DistributionsOptions {
  readonly requests: string
  readonly world: WorldKind
  readonly from: number
  readonly seeds: number
}

/** Prints one row for each distribution; a star marks a quantile of the file that no seed reached or undercut. */
export async function benchDistributions(options: DistributionsOptions): Promise<void> {
  const foreign = await tallyFile(options.requests)
  const own: Map<string, readonly number[]>[] = []
  for (let seed = options.from; seed < options.from + options.seeds; seed += 1) {
    own.push(tallyWorld(seed, options.world, foreign.apps, foreign.requests).distributions())
    process.stderr.write(`seed ${seed} done\n`)
  }
  const head = ['', ...QUANTILES.map((share) => `p${share * 100}`)]
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const [name, values] of foreign.distributions()) {
    const ours = own.map((world) => quantilesOf(world.get(name) ?? []))
    const cells = quantilesOf(values).map((value, index) => {
      const range = ours.map((quantiles) => quantiles[index] ?? Number.NaN).filter((number) => !Number.isNaN(number))
      const [low, high] = [Math.min(...range), Math.max(...range)]
      const outside = value < low || value > high ? ' *' : ''
      return `${short(value)}${outside}  (${short(low)} - ${short(high)})`
    })
    table.push([name, ...cells])
  }
  process.stdout.write(`${table.toString()}\n`)
}
