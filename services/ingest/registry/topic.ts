/**
 * One partition of the app registry topic (compacted): the newest record of each app into `apps`, a tombstone as a deletion.
 *
 * At least once is enough here: a row is replaced by the one with the greatest version, so repeating it changes nothing. The version is the
 * record's Kafka timestamp in milliseconds, the same clock as the load time of a registry file, and it survives a topic that is created anew;
 * of records with equal timestamps the one that is inserted last wins, and they are inserted in the order of the topic.
 */
import type { KafkaMessage } from 'kafkajs'

import { errorMessage } from '#lib/errors.ts'
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import type { DeadLetter } from '#schemas/dead-letter.ts'

import { APP_COLUMNS, appRow, parseApp } from './app-row.ts'
import { addDead, openBatch } from '../blocks/block.ts'
import type { Block, PartitionIngest, PartitionKey, Taken } from '../kafka/partition-port.ts'
import { createRowBuffer } from '../blocks/encode.ts'

export interface RegistryPort {
  commit(offset: number, metadata: string): Promise<void>
  /** Stores rows of `apps`, however long that takes. `token`: the same rows have the same. */
  insertApps(columns: readonly string[], body: Buffer, token: string): Promise<void>
  /** Stores the dead letters of a block, however long that takes. */
  insertDead(block: Block): Promise<void>
}

export interface RegistryOptions {
  readonly key: PartitionKey
  readonly position: number
  readonly port: RegistryPort
  /** Apps of a block. */
  readonly rowsMax: number
  readonly milliseconds: number
  readonly now: () => number
}

/** Dead records are rare. */
const FIRST_DEAD_BYTES = 64 * 1024

interface OpenApps {
  readonly from: number
  readonly rows: string[]
  readonly dead: Block
  readonly openedAtMs: number
}

/** A row that removes an app: nothing but its id, its version and the mark. */
function tombstoneRow(appId: string, version: number): string {
  return tabSeparatedRow([appId, '', '', '', '', [], '1970-01-01 00:00:00.000', '', '', '{}', version, 1])
}

function letterOf(problem: string): DeadLetter {
  if (problem === 'not JSON') return { reason: 'not_json', detail: 'the app record is not JSON' }
  if (problem === 'not a JSON object') return { reason: 'not_an_object', detail: 'the app record is not a JSON object' }
  return { reason: 'wrong_type', detail: problem.slice(0, 500) }
}

function rowOf(message: KafkaMessage): string | DeadLetter {
  const version = Math.max(0, Number(message.timestamp))
  if (message.value === null) {
    const appId = message.key?.toString('utf8') ?? ''
    if (appId === '') return { reason: 'missing_field', detail: 'a tombstone needs the app_id as its key' }
    return tombstoneRow(appId, version)
  }
  const parsed = parseApp(message.value.toString('utf8'))
  if ('problem' in parsed) return letterOf(parsed.problem)
  try {
    return appRow(parsed, version)
  } catch (error) {
    return letterOf(errorMessage(error))
  }
}

/** A partition of the registry topic. */
export class RegistryPartition implements PartitionIngest {
  readonly key: PartitionKey
  private readonly options: RegistryOptions
  private next: number
  private storedTo: number
  private open: OpenApps | undefined
  private isBusy = false
  private isFenced = false

  constructor(options: RegistryOptions) {
    this.options = options
    this.key = options.key
    this.next = options.position
    this.storedTo = options.position
  }

  take(messages: readonly KafkaMessage[]): Taken {
    let last: number | undefined
    for (const [taken, message] of messages.entries()) {
      if (this.isFull()) return { taken, last, skipped: 0, isHeldBack: true }
      if (Number(message.offset) >= this.next) this.add(message)
      last = Number(message.offset)
    }
    return { taken: messages.length, last, skipped: 0, isHeldBack: false }
  }

  advance(offset: number): void {
    this.next = Math.max(this.next, offset)
  }

  position(): number {
    return this.next
  }

  caughtUpTo(): number {
    return this.open === undefined && !this.isBusy ? this.next : this.storedTo
  }

  /** The registry is read again as a whole when its topic is created anew; nothing is counted. */
  async isSameTopic(): Promise<boolean> {
    return await Promise.resolve(true)
  }

  isDue(share: number): boolean {
    const { open, options } = this
    return (
      open !== undefined && (share === 0 || this.isFull() || options.now() - open.openedAtMs >= options.milliseconds)
    )
  }

  isIdle(): boolean {
    return !this.isBusy && !this.isFenced
  }

  isResting(): boolean {
    return false
  }

  isRebuilding(): boolean {
    return false
  }

  async flush(): Promise<Block | undefined> {
    if (this.open === undefined) return undefined
    const apps = this.open
    this.open = undefined
    this.isBusy = true
    try {
      return await this.store(apps, this.next)
    } finally {
      this.isBusy = false
    }
  }

  fence(): void {
    this.isFenced = true
    this.open = undefined
  }

  private isFull(): boolean {
    const { open } = this
    return open !== undefined && open.rows.length + open.dead.batch.records >= this.options.rowsMax
  }

  private openApps(from: number): OpenApps {
    const { key, now } = this.options
    const rows = createRowBuffer(FIRST_DEAD_BYTES)
    const batch = openBatch({ source: key.source, partition: key.partition }, rows, now())
    return {
      from,
      rows: [],
      dead: { batch, deadByReason: new Map(), unknownFields: 0, adjusted: new Map() },
      openedAtMs: now(),
    }
  }

  private add(message: KafkaMessage): void {
    const offset = Number(message.offset)
    this.open ??= this.openApps(offset)
    const row = rowOf(message)
    if (typeof row === 'string') this.open.rows.push(row)
    else {
      const { batch, deadByReason } = this.open.dead
      const bytes = message.value ?? Buffer.alloc(0)
      addDead(batch, offset, row, bytes, bytes.length)
      deadByReason.set(row.reason, (deadByReason.get(row.reason) ?? 0) + 1)
    }
    this.next = offset + 1
  }

  private async store(apps: OpenApps, to: number): Promise<Block> {
    const { port, key } = this.options
    if (apps.dead.batch.records > 0) await port.insertDead(apps.dead)
    if (apps.rows.length > 0) {
      const token = `${key.source}/${key.partition}/${apps.from}-${to}`
      await port.insertApps(APP_COLUMNS, Buffer.from(apps.rows.join(''), 'utf8'), token)
    }
    await port.commit(to, '')
    this.storedTo = to
    const batch = { ...apps.dead.batch, records: apps.rows.length + apps.dead.batch.records }
    return { ...apps.dead, batch }
  }
}
