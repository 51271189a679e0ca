/**
 * Random faults for some minutes on real processes, a real broker and an engine that can be killed, under steady production. After each round of
 * faults everything settles and is compared with what was produced. Fails when anything is lost, doubled or miscounted.
 */
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Table from 'cli-table3'

import { Rng } from '#simulate/random.ts'

import { errorMessage } from '../lib/errors.ts'
import * as faults from '../rig/faults/faults.ts'
import { isSound, type Verdict } from '../rig/faults/invariants.ts'
import type { Stream } from '../rig/faults/stream.ts'
import { openFaultWorld, type FaultWorld } from '../rig/faults/world.ts'

export interface BenchFaults {
  readonly minutes: number
  readonly seed: number
}

const PARTITIONS = 6
const SERVICES = 3
const PER_SECOND = 1500
const POISON_SHARE = 0.01
/** In every second round this share of all requests to the engine fails as well. */
const DISTURBED_SHARE = 0.05
const FAULTS_A_ROUND = 3

interface Run {
  readonly world: FaultWorld
  readonly stream: Stream
  readonly rng: Rng
  readonly counts: { rounds: number; recreations: number; cuts: number; moves: number; freezes: number; slow: number }
}

/** Each ends with everything running again. */
const FAULTS: Readonly<Record<string, (run: Run) => Promise<void>>> = {
  'kill -9': async ({ stream, rng }) => await faults.killLoop(stream, rng, 3 + rng.below(5)),
  zombie: async ({ stream, rng }) => await faults.zombie(stream, rng),
  'join and leave': async ({ stream, rng }) => await faults.membershipStorm(stream, rng, 1 + rng.below(3)),
  'broker restart': async ({ world }) => await faults.restartBroker(world, 'stop'),
  'broker kill -9': async ({ world }) => await faults.restartBroker(world, 'kill'),
  'engine restart': async ({ world, rng }) => await faults.restartEngine(world, 'stop', rng),
  'engine kill -9': async ({ world, rng, stream }) => {
    for (let times = 2 + rng.below(4); times > 0; times -= 1) {
      await faults.restartEngine(world, 'kill', rng)
      await faults.progress(stream, 2)
    }
  },
  'engine and service kill -9': async ({ world, stream, rng }) => {
    await Promise.all([faults.restartEngine(world, 'kill', rng.fork('engine')), faults.killLoop(stream, rng, 3)])
  },
  'engine frozen': async ({ world, stream, counts }) => {
    await faults.freezeEngine(world, stream)
    counts.freezes += 1
  },
  'errors and cuts': async ({ world }) => await faults.injectErrors(world),
  'slow insert': async ({ world, stream, rng, counts }) => {
    await faults.slowInsert(world, stream, rng.chance(0.5) ? 'before' : 'after')
    counts.slow += 1
  },
  'offsets moved back': async ({ world, stream, rng, counts }) => {
    await stream.production.stop()
    await faults.moveOffsetsBack(world, stream, rng.next())
    counts.moves += 1
    stream.production.start(PER_SECOND)
  },
  'retention cut': async ({ world, stream, rng, counts }) => {
    await faults.cutPendingRange(world, stream, rng.chance(0.5))
    counts.cuts += 1
    stream.production.start(PER_SECOND)
  },
  'topic created anew': async ({ stream, counts }) => {
    await stream.production.stop()
    await stream.settle()
    await stream.recreate()
    // Fewer than before, or nobody could tell the new log from the old one.
    await stream.production.produce(PARTITIONS)
    await stream.settle()
    counts.recreations += 1
    stream.production.start(PER_SECOND)
  },
}

async function playRound(run: Run): Promise<Verdict> {
  const { world, stream, rng, counts } = run
  counts.rounds += 1
  const chosen = rng.sample(Object.keys(FAULTS), FAULTS_A_ROUND)
  const isDisturbed = counts.rounds % 2 === 0
  stream.production.start(PER_SECOND)
  for (const name of chosen) {
    process.stderr.write(`round ${counts.rounds}: ${name}${isDisturbed ? ', disturbed' : ''}\n`)
    world.inserts.disturb(isDisturbed ? DISTURBED_SHARE : 0, rng.fork(`disturb ${counts.rounds}`))
    await FAULTS[name]?.(run)
  }
  world.inserts.disturb(0, rng)
  await stream.production.stop()
  const verdict = await stream.verdict()
  process.stderr.write(`round ${counts.rounds}: ${JSON.stringify(verdict)}\n`)
  return verdict
}

function number(value: number | undefined): string {
  return (value ?? Number.NaN).toLocaleString('en')
}

function rowsOf({ world, stream, counts }: Run, verdict: Verdict | undefined, minutes: number): [string, string][] {
  const { fleet } = stream
  const recovery = fleet.recovery()
  const kinds = Object.entries(recovery.byKind).map(([kind, count]) => `${kind} ${count}`)
  return [
    ['minutes', minutes.toFixed(1)],
    ['rounds of faults', number(counts.rounds)],
    ['service: kill -9', number(fleet.counts.kills)],
    ['service: frozen beyond its session', number(fleet.counts.zombies)],
    ['service: joined, left in order', `${number(fleet.counts.joins)}, ${number(fleet.counts.leaves)}`],
    ['service: ended by itself', number(fleet.unexpected.length)],
    ['broker and engine: restarts', number(world.counts.restarts)],
    ['engine: frozen', number(counts.freezes)],
    ['inserts held beyond the session', number(counts.slow)],
    ['errors and cut connections', number(world.inserts.injected)],
    ['offsets moved back', number(counts.moves)],
    ['retention cuts in a pending range', number(counts.cuts)],
    ['topics created anew', number(counts.recreations)],
    ['ranges replayed', number(recovery.replays)],
    ['repairs', `${number(recovery.repairs)}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`],
    ['records produced', number(verdict?.produced)],
    ['raw', number(verdict?.raw)],
    ['dead', number(verdict?.dead)],
    ['deleted by Kafka before they were stored', number(verdict && verdict.produced - verdict.raw - verdict.dead)],
    ['lost', number(verdict?.lost)],
    ['doubled', number(verdict?.doubled)],
    ['at a wrong offset (partitions)', number(verdict?.mistaken.length)],
    [
      'rollup buckets that differ',
      number(verdict && Object.values(verdict.rollups).reduce((sum, one) => sum + one, 0)),
    ],
    ['ledger: offsets missing, double', `${number(verdict?.ledgerGaps)}, ${number(verdict?.ledgerOverlaps)}`],
  ]
}

const NO_LINES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' } as const

function print(rows: readonly [string, string][]): void {
  const table = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'right'], chars: NO_LINES })
  table.push(...rows)
  process.stdout.write(`${table.toString()}\n`)
}

/** Prints the table. Sets the exit code to 1 when a record or a count is wrong, or the service does not come back from a fault. */
export async function benchFaults({ minutes, seed }: BenchFaults): Promise<void> {
  const rng = new Rng(`faults ${seed}`)
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 60_000
  const world = await openFaultWorld()
  try {
    const stream = await world.stream({
      partitions: PARTITIONS,
      services: SERVICES,
      rng: rng.fork('records'),
      poisonShare: POISON_SHARE,
    })
    const counts = { rounds: 0, recreations: 0, cuts: 0, moves: 0, freezes: 0, slow: 0 }
    const run = { world, stream, rng, counts }
    let verdict: Verdict | undefined
    try {
      do verdict = await playRound(run)
      while (isSound(verdict) && elapsed() < minutes)
    } catch (error) {
      process.exitCode = 1
      const cause = error instanceof Error && error.cause !== undefined ? ` (${errorMessage(error.cause)})` : ''
      process.stderr.write(`round ${counts.rounds} failed: ${errorMessage(error)}${cause}\n`)
    }
    for (const end of stream.fleet.unexpected)
      process.stderr.write(`a service ended with ${end.how}: ${end.errors.trim()}\n`)
    print(rowsOf(run, verdict, elapsed()))
    if (verdict === undefined || !isSound(verdict)) process.exitCode = 1
    if (process.exitCode === 1) {
      const file = join(tmpdir(), `sidestep-faults-${process.pid}.ndjson`)
      await writeFile(file, stream.fleet.log())
      process.stderr.write(`what the services said: ${file}\n`)
    }
  } finally {
    await world.close()
  }
}
