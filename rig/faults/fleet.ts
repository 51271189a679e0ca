/** The processes of one consumer group: started, killed, frozen, and started again when they end by themselves, as an orchestrator does. */
import { setTimeout as delay } from 'node:timers/promises'
import { startIngest, type IngestService } from '../ingest-service.ts'
import { until } from '../until.ts'

/** A crash loop must not eat the machine. */
const RESTART_PAUSE_MS = 500

export interface FleetCounts {
  kills: number
  zombies: number
  joins: number
  leaves: number
}

/** What recovery found, summed over all processes that ever ran. */
export interface RecoveryCounts {
  /** Ranges that were checked again after a crash, a rebalance or an error of doubtful outcome. */
  readonly replays: number
  /** Things that were missing and were put right. */
  readonly repairs: number
  readonly byKind: Readonly<Record<string, number>>
  readonly fenced: number
}

export interface UnexpectedEnd {
  readonly how: number | string
  readonly errors: string
}

export class Fleet {
  readonly counts: FleetCounts = { kills: 0, zombies: 0, joins: 0, leaves: 0 }
  /** Processes that ended although nobody asked them to. */
  readonly unexpected: UnexpectedEnd[] = []
  private readonly env: Readonly<Record<string, string>>
  private readonly ever: IngestService[] = []
  private readonly running: IngestService[] = []
  private readonly dismissed = new Set<IngestService>()
  private readonly watches = new Set<Promise<void>>()
  private isClosing = false

  constructor(env: Readonly<Record<string, string>>) {
    this.env = env
  }

  members(): readonly IngestService[] {
    return this.running
  }

  async add(env: Readonly<Record<string, string>> = {}): Promise<IngestService> {
    const service = await startIngest({ ...this.env, ...env })
    this.ever.push(service)
    this.running.push(service)
    const watch = this.watch(service).finally(() => this.watches.delete(watch))
    this.watches.add(watch)
    return service
  }

  /** kill -9; resolves when it is gone. Nobody takes its place. */
  async kill(service: IngestService): Promise<void> {
    this.dismissed.add(service)
    this.counts.kills += 1
    await service.kill()
  }

  /** SIGTERM; resolves to its exit code. */
  async leave(service: IngestService): Promise<number | string> {
    this.dismissed.add(service)
    this.counts.leaves += 1
    service.signal('SIGTERM')
    return await service.ended()
  }

  /** Freezes a process until the group goes on without it, and wakes it up after `whileFrozen`: it does not know that its time is over. */
  async zombie(
    service: IngestService,
    isGone: () => Promise<boolean>,
    whileFrozen: () => Promise<void>,
  ): Promise<void> {
    this.counts.zombies += 1
    service.signal('SIGSTOP')
    try {
      await until(isGone, { what: 'the group goes on without a frozen process' })
      await whileFrozen()
    } finally {
      service.signal('SIGCONT')
    }
  }

  /** Resolves when every process has joined the group and holds its place. */
  async ready(): Promise<void> {
    await Promise.all(this.running.map(async (service) => await service.ready()))
  }

  recovery(): RecoveryCounts {
    const of = (event: string) => this.ever.flatMap((service) => service.of(event))
    const kinds = of('ingest.repaired').map((line) => String(line['kind']))
    const byKind = Object.fromEntries(
      Map.groupBy(kinds, (kind) => kind)
        .entries()
        .map(([kind, all]) => [kind, all.length]),
    )
    return {
      replays: of('ingest.recovered').length,
      repairs: kinds.length,
      byKind,
      fenced: of('ingest.fenced').length,
    }
  }

  /** Lines of one event, of all processes that ever ran. */
  logged(event: string): readonly Readonly<Record<string, unknown>>[] {
    return this.ever.flatMap((service) => service.of(event))
  }

  /** What all processes said, in the order of time, one JSON line each. */
  log(): string {
    return this.ever
      .flatMap((service) => service.lines)
      .toSorted((one, other) => Number(one['time']) - Number(other['time']))
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('')
  }

  async close(): Promise<void> {
    this.isClosing = true
    await Promise.all(this.running.map(async (service) => await service.kill()))
    await Promise.all(this.watches)
  }

  private async watch(service: IngestService): Promise<void> {
    const how = await service.ended()
    this.running.splice(this.running.indexOf(service), 1)
    if (this.isClosing || this.dismissed.has(service)) return
    this.unexpected.push({ how, errors: service.errors() })
    await delay(RESTART_PAUSE_MS)
    if (!this.isClosing) await this.add()
  }
}
