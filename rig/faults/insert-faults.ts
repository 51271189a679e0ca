/** Faults between the service and ClickHouse, one for one insert each, or a share of all requests. */
import type { Rng } from '#simulate/random.ts'
import type { Fault, FaultProxy, SeenRequest } from './proxy.ts'
import { until } from '../until.ts'

/** Time-outs, a lost network, memory, a read-only table, too many parts. */
export const ENGINE_ERRORS = [159, 209, 210, 241, 242, 252] as const

const isBlock = (request: SeenRequest): boolean => /^\s*INSERT INTO landing\b/.test(request.sql)

/** An insert that is held: `release` lets it go on, `drop` cuts its connection; held before, it never reaches the engine then. */
export interface HeldInsert {
  readonly release: () => void
  readonly drop: () => void
}

export class InsertFaults {
  /** Errors and cuts so far. */
  injected = 0
  private readonly queue: Fault[] = []
  private chaos: ((request: SeenRequest) => Fault | undefined) | undefined

  constructor(proxy: FaultProxy) {
    proxy.decide((request) => {
      const fault = (isBlock(request) ? this.queue.shift() : undefined) ?? this.chaos?.(request)
      if (fault !== undefined) this.injected += 1
      return fault
    })
  }

  /** The next blocks get these, one each, in order; resolves when the last has got its own. */
  async hit(...faults: readonly Fault[]): Promise<void> {
    this.queue.push(...faults)
    await until(() => this.queue.length === 0, { what: 'every fault has met a block', everyMs: 10 })
  }

  /** Holds the next block; resolves when it is there. */
  async hold(when: 'before' | 'after'): Promise<HeldInsert> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    await this.hit({ kind: 'hold', until: promise, when })
    return { release: () => resolve(undefined), drop: () => reject(new Error('dropped by the test')) }
  }

  /** From now on this share of all requests fails in some way, recovery's own included; 0 ends it. */
  disturb(share: number, rng: Rng): void {
    this.chaos = share === 0 ? undefined : () => (rng.next() < share ? randomFault(rng) : undefined)
  }
}

/** Any fault but a held request. */
export function randomFault(rng: Rng): Fault {
  const when = rng.next() < 0.5 ? 'before' : 'after'
  const kind = rng.below(6)
  if (kind === 0) return { kind: 'cut-request' }
  if (kind === 1) return { kind: 'cut-response', at: 'head' }
  if (kind === 2) return { kind: 'cut-response', at: 'body' }
  return { kind: 'error', code: ENGINE_ERRORS[rng.below(ENGINE_ERRORS.length)] ?? 159, when }
}
