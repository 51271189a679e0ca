#!/usr/bin/env -S node --disable-warning=TimeoutNegativeWarning --disable-warning=ExperimentalWarning
/** The command line: wiring, and the one place where an error becomes a message and an exit code. */
import { Command, CommanderError } from 'commander'

import { errorMessage, SidestepError } from '#lib/errors.ts'

import { analyzeCommand } from './commands/analyze.ts'
import { isDebug } from './config.ts'
import { demoCommand } from './commands/demo.ts'
import { detectCommand } from './commands/detect.ts'
import { evaluateCommand } from './commands/evaluate.ts'
import { explainCommand } from './commands/explain.ts'
import { findingsCommand } from './commands/findings.ts'
import { ingestCommand } from './commands/ingest.ts'
import { migrateCommand } from './commands/migrate.ts'
import { reconcileCommand } from './commands/reconcile.ts'
import { simulateCommand } from './commands/simulate.ts'

const EXIT_FAILURE = 1
const EXIT_USAGE = 2

function program(): Command {
  const sidestep = new Command('sidestep')
    .description('Finds API clients that sidestep rate limits by spreading one use case over many applications.')
    .showHelpAfterError('(--help shows what is possible, with an example)')
    .addHelpText('after', '\nExample:\n  $ sidestep detect --requests requests.ndjson.gz --apps apps.ndjson\n')
  for (const command of [
    detectCommand(),
    findingsCommand(),
    explainCommand(),
    simulateCommand(),
    evaluateCommand(),
    demoCommand(),
    migrateCommand(),
    ingestCommand(),
    analyzeCommand(),
    reconcileCommand(),
  ]) {
    sidestep.addCommand(command.exitOverride().showHelpAfterError('(--help shows what is possible, with an example)'))
  }
  return sidestep.exitOverride()
}

/** Prints what went wrong, for people; returns the exit code. */
function explain(error: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE
  const isKnown = error instanceof SidestepError
  const message = isKnown ? errorMessage(error) : `unexpected: ${errorMessage(error).split('\n')[0] ?? ''}`
  process.stderr.write(`sidestep: ${message}\n`)
  if (!isKnown)
    process.stderr.write('This is a bug: please report it, with the output of a run with SIDESTEP_DEBUG=1.\n')
  if (isDebug()) process.stderr.write(`${stackOf(error)}\n`)
  return isKnown && error.kind === 'usage' ? EXIT_USAGE : EXIT_FAILURE
}

/** The stack with those of its causes. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? error.message
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`
}

// A reader that went away (`sidestep … | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

try {
  await program().parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}
