/**
 * Keeps standard input and the embedded engine apart.
 *
 * Run (chDB 3.4.0, engine 26.7): of every INSERT the embedded engine looks at file descriptor 0, and when that is a pipe, a socket or a file
 * with data in it, it takes the data as further rows: a program that reads records from standard input loses them to the first insert, which
 * fails or stores them. A terminal it leaves alone. So file descriptor 0 becomes /dev/null before the engine opens, and who
 * wants to read standard input does so through a helper process that holds the original.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import { isatty } from 'node:tty'

import { SidestepError } from './errors.ts'

const STDIN = 0

/** The helper: copies what it reads. It outlives Ctrl-C, which a terminal sends to it too; it ends with its input, or is ended. */
const COPY =
  "process.on('SIGINT',()=>{});process.stdout.on('error',()=>process.exit());process.stdin.pipe(process.stdout)"

export interface StandardInput {
  readonly stream: Readable
  /** Stops reading; whatever was not read is lost. */
  close(): void
}

/** Standard input as a stream that goes on working when the embedded engine is opened. To be called before. */
export function openStandardInput(): StandardInput {
  if (isatty(STDIN)) return { stream: process.stdin, close: () => process.stdin.destroy() }
  const child = spawn(process.execPath, ['-e', COPY], { stdio: ['inherit', 'pipe', 'inherit'] })
  // Piped on at once: when a child ends, node throws away what of its output nobody has begun to read.
  const stream = child.stdout.pipe(new PassThrough())
  return {
    stream,
    close() {
      child.stdout.destroy()
      child.kill('SIGKILL')
    },
  }
}

let isHidden = false

/** Makes file descriptor 0 /dev/null, once, unless it is a terminal. */
export function hideStandardInput(): void {
  if (isHidden || isatty(STDIN)) return
  isHidden = true
  closeSync(STDIN)
  // POSIX: open gives the lowest number that is free, so the new file is descriptor 0.
  const descriptor = openSync('/dev/null', 'r')
  if (descriptor !== STDIN)
    throw new SidestepError('failure', 'cannot take standard input away from the embedded engine')
}
