import type { Certificates } from './certificates.ts'

/** A broker that can be started, stopped and killed again and again, on the same ports with the same data. */
export interface BrokerEngine {
  readonly host: string
  readonly ports: { readonly plain: number; readonly sasl: number; readonly tls: number }
  readonly certificates: Certificates
  /** Starts it; ready or not is looked at from outside. */
  start(): Promise<void>
  /** As an operator would: it closes its logs. */
  stop(): Promise<void>
  /** SIGKILL: nothing is flushed, no one is told. */
  kill(): Promise<void>
  isRunning(): Promise<boolean>
  /** The last lines that it logged. */
  logEnd(): Promise<string>
  /** Removes what it kept. */
  remove(): Promise<void>
}

export interface EngineOptions {
  readonly minSessionTimeoutMs: number
  readonly overrides: Readonly<Record<string, string>>
}

/** Megabytes of heap: enough for millions of small records, since Kafka keeps them in the page cache. */
export const HEAP_ARGUMENTS: readonly string[] = ['-Xms256m', '-Xmx512m']
