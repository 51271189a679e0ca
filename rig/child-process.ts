/** Real processes for tests: started, signalled, waited for. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

const SETPRIV = '/usr/bin/setpriv'

/** Starts a process that the kernel ends (SIGKILL) when this one ends, so that a killed test run leaves nothing behind. Linux only; elsewhere it is a plain start. */
export async function spawnBound(command: string, args: readonly string[], stdio: StdioOptions): Promise<ChildProcess> {
  const child = existsSync(SETPRIV)
    ? spawn(SETPRIV, ['--pdeathsig', 'KILL', command, ...args], { stdio })
    : spawn(command, args, { stdio })
  await once(child, 'spawn')
  return child
}

export function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null
}

/** Sends the signal and waits until the process is gone; nothing to do when it already is. */
export async function endProcess(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(child)) return
  const gone = once(child, 'exit')
  child.kill(signal)
  // A stopped process (SIGSTOP) takes SIGTERM only when it goes on.
  child.kill('SIGCONT')
  await gone
}
