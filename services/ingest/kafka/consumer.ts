/**
 * What the consumers of this service have in common: how kafkajs is set up, how it is watched, how it is left, and how a new life begins when
 * one has ended for a reason that may pass.
 */
import type { Consumer, ConsumerConfig, Kafka } from 'kafkajs'

import type { Clock } from '#lib/clock.ts'
import { createPauses, pause, type Backoff } from '#lib/retry.ts'

import { StalledError } from './epoch.ts'

/** One life of a consumer. */
export interface ConsumerLife {
  /** Resolves with what ended it, when that was not `stop`. */
  readonly failed: Promise<unknown>
  /** Joins the group. Rejects when Kafka is away or refuses. */
  start(): Promise<void>
  /** Ends it in order, within about so many milliseconds. False when the time was up before everything was stored: the rest stays in Kafka. */
  stop(milliseconds: number): Promise<boolean>
  /** Ends it at once. */
  close(): Promise<void>
}

/** Of one fetch, as it is sent. kafkajs holds all of it as objects at once: packed five to one, 2 MB become 30,000 records and 40 MB. */
const FETCH_BYTES_MAX = 2 * 1024 * 1024
/** Small beside the whole, because a broker fills a fetch in the order of its partitions: the last ones must get something too. */
const PARTITION_BYTES_MAX = FETCH_BYTES_MAX / 8
const HEARTBEAT_MS_MAX = 3000

/** A consumer that never begins anew by itself: it would keep what it knows. */
export function createConsumer(
  kafka: Kafka,
  sessionTimeoutMs: number,
  config: Pick<ConsumerConfig, 'groupId' | 'minBytes'> & { readonly fetchWaitMs: number },
): Consumer {
  const { fetchWaitMs, ...rest } = config
  return kafka.consumer({
    ...rest,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: Math.max(60_000, sessionTimeoutMs),
    heartbeatInterval: Math.min(HEARTBEAT_MS_MAX, Math.floor(sessionTimeoutMs / 4)),
    maxWaitTimeInMs: Math.min(fetchWaitMs, Math.floor(sessionTimeoutMs / 4)),
    maxBytes: FETCH_BYTES_MAX,
    maxBytesPerPartition: PARTITION_BYTES_MAX,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: async () => await Promise.resolve(false) },
  })
}

const STALL_MS_MIN = 60_000
/** Between two looks (milliseconds): a process that was stopped itself has not been let down by Kafka. */
const LOOK_GAP_MS_MAX = 5000

export interface WatchOptions {
  readonly consumer: Consumer
  readonly sessionTimeoutMs: number
  readonly steadyMs: Clock['steadyMs']
  readonly onHeard: () => void
  /** What ended the consumer: kafkajs gave up, or nothing was heard for long. */
  readonly onEnd: (error: unknown) => void
}

/** Watches a consumer. The function that it returns looks for a stall: call it every second or more often. */
export function watch({ consumer, sessionTimeoutMs, steadyMs, onHeard, onEnd }: WatchOptions): () => void {
  const stallMs = Math.max(STALL_MS_MIN, 3 * sessionTimeoutMs)
  let heardMs = steadyMs()
  let lookedMs = steadyMs()
  const { CRASH, GROUP_JOIN, HEARTBEAT, FETCH, START_BATCH_PROCESS } = consumer.events
  consumer.on(CRASH, ({ payload }) => onEnd(payload.error))
  for (const event of [GROUP_JOIN, HEARTBEAT, FETCH, START_BATCH_PROCESS] as const) {
    consumer.on(event, () => {
      heardMs = steadyMs()
      onHeard()
    })
  }
  return () => {
    const now = steadyMs()
    if (now - lookedMs > LOOK_GAP_MS_MAX) heardMs = now
    lookedMs = now
    if (now - heardMs > stallMs) onEnd(new StalledError(`nothing was heard of Kafka for ${stallMs} ms`))
  }
}

/** kafkajs has been told to leave; a broker that does not answer must not hold the process. */
const LEAVE_MS = 4000

/** Waits for what leaves Kafka, but not for long. */
export async function leave(...leaving: readonly Promise<unknown>[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), LEAVE_MS)
  await Promise.race([Promise.allSettled(leaving), late])
  clearTimeout(timer)
}

export interface LivesOptions {
  /** A new life; it tells whenever it becomes ready for its work, or is not any more. */
  readonly begin: (onReady: (isReady: boolean) => void) => ConsumerLife
  readonly onReady: (isReady: boolean) => void
  /** Why no other life can fare better than the one that ended so; undefined when one may. */
  readonly finalFailure: (end: unknown, wasReady: boolean) => Error | undefined
  readonly onEnd: (end: unknown) => void
  readonly backoff: Backoff
  readonly stop: AbortSignal
  /** Time for a stop in order, milliseconds. */
  readonly stopMs: number
}

/** Lives one after the other, until stopped: true when everything read was stored by then. Throws what no other life can mend. */
export async function live(options: LivesOptions): Promise<boolean> {
  const { stop } = options
  const pauses = createPauses(options.backoff)
  let wasReady = false
  const onReady = (isReady: boolean): void => {
    if (isReady) pauses.reset()
    wasReady ||= isReady
    options.onReady(isReady)
  }
  const stopped = Promise.withResolvers<'stopped'>()
  stop.addEventListener('abort', () => stopped.resolve('stopped'), { once: true })
  while (!stop.aborted) {
    const life = options.begin(onReady)
    const ended = life.start().then(
      async () => await life.failed,
      (error: unknown) => error,
    )
    const end = await Promise.race([stopped.promise, ended])
    onReady(false)
    if (end === 'stopped') return await life.stop(options.stopMs)
    await life.close()
    const failure = options.finalFailure(end, wasReady)
    if (failure !== undefined) throw failure
    options.onEnd(end)
    await pause(pauses.next(), stop).catch(() => undefined)
  }
  return true
}
