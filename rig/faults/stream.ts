/** One topic, its producer, its consumer group of real processes, and what must come of it. */
import type { Admin, Kafka } from 'kafkajs'
import type { ClickHouse } from '#lib/clickhouse.ts'
import type { Rng } from '#simulate/random.ts'
import { createTopic, recreateTopic } from '../kafka-client.ts'
import { LONG_WAIT_MS, until } from '../until.ts'
import { Fleet } from './fleet.ts'
import { checkInvariants, type Verdict } from './invariants.ts'
import { TopicOracle } from './oracle.ts'
import { Production } from './production.ts'

export interface StreamSetup {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly clickhouse: ClickHouse
  readonly env: Readonly<Record<string, string>> & { readonly GROUP_ID: string }
  readonly partitions: number
  readonly services: number
  readonly rng: Rng
  readonly poisonShare?: number
}

export class Stream {
  readonly topic: string
  readonly group: string
  readonly fleet: Fleet
  private readonly setup: StreamSetup
  /** One for each life of the topic; the last is the present one. */
  private readonly oracles: TopicOracle[]
  private producing: Production
  private readonly nowMs: number

  constructor(topic: string, setup: StreamSetup, nowMs: number) {
    this.topic = topic
    this.group = setup.env.GROUP_ID
    this.setup = setup
    this.nowMs = nowMs
    this.fleet = new Fleet({ ...setup.env, TOPIC_REQUESTS: topic })
    this.oracles = [new TopicOracle(topic, setup.partitions, 1)]
    this.producing = this.newProduction(0)
  }

  get oracle(): TopicOracle {
    const oracle = this.oracles.at(-1)
    if (oracle === undefined) throw new Error('a stream has an oracle')
    return oracle
  }

  get production(): Production {
    return this.producing
  }

  /** Resolves when all that Kafka has is stored and the group has said so, without intent: nothing is on its way any more. */
  async settle(): Promise<void> {
    const { admin } = this.setup
    const { topic, group, oracle } = this
    let last: unknown
    const look = async (): Promise<boolean> => {
      const [own] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      const commits = new Map(own?.partitions.map((one) => [one.partition, one] as const))
      last = own?.partitions
      return Array.from({ length: oracle.partitions() }, (_, partition) => partition).every((partition) => {
        const commit = commits.get(partition)
        const high = oracle.high(partition)
        return high === 0 || (Number(commit?.offset) === high && (commit?.metadata ?? '') === '')
      })
    }
    try {
      await until(look, { what: `${topic} is stored and committed`, timeoutMs: LONG_WAIT_MS, everyMs: 200 })
    } catch (error) {
      const highs = Array.from({ length: oracle.partitions() }, (_, partition) => oracle.high(partition))
      throw new Error(`${topic} does not settle: ends ${highs.join(', ')}, commits ${JSON.stringify(last)}`, {
        cause: error,
      })
    }
  }

  /** Settles, and compares what is stored with what was produced, over every life of the topic. */
  async verdict(): Promise<Verdict> {
    await this.settle()
    return await checkInvariants(this.setup.clickhouse, this.oracles)
  }

  /** Deletes the topic and creates it anew. What of it is stored must be settled before; production must have stopped. */
  async recreate(): Promise<void> {
    const { kafka, partitions } = this.setup
    const { topic } = this
    await this.producing.close()
    await recreateTopic(kafka, topic, partitions)
    this.oracles.push(new TopicOracle(topic, partitions, this.oracles.length + 1))
    this.producing = this.newProduction(this.producing.nextNumber())
  }

  /** Kafka deletes the records of a partition before `to`. Those from `storedTo` on may or may not be stored. */
  async cut(partition: number, storedTo: number, to: number): Promise<void> {
    const { topic } = this
    await this.setup.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(to) }] })
    if (storedTo < to) this.oracle.cuts.push({ partition, from: storedTo, to })
  }

  /** What the group has committed for a partition. */
  async committed(partition: number): Promise<{ readonly offset: number; readonly metadata: string }> {
    const [own] = await this.setup.admin.fetchOffsets({ groupId: this.group, topics: [this.topic] })
    const commit = own?.partitions.find((one) => one.partition === partition)
    return { offset: Number(commit?.offset ?? -1), metadata: commit?.metadata ?? '' }
  }

  /** Processes that the group has; undefined while it is being formed anew. */
  async groupMembers(): Promise<number | undefined> {
    const { groups } = await this.setup.admin.describeGroups([this.group])
    const [group] = groups
    return group?.state === 'Stable' ? group.members.length : undefined
  }

  async close(): Promise<void> {
    await this.producing.close()
    await this.fleet.close()
  }

  private newProduction(firstNumber: number): Production {
    const { kafka, admin, rng, poisonShare = 0.01 } = this.setup
    return new Production({ kafka, admin, oracle: this.oracle, rng, nowMs: this.nowMs, poisonShare, firstNumber })
  }
}

export async function openStream(setup: StreamSetup): Promise<Stream> {
  const topic = await createTopic(setup.kafka, 'faults', setup.partitions)
  const stream = new Stream(topic, setup, Date.now())
  await Promise.all(Array.from({ length: setup.services }, async () => await stream.fleet.add()))
  await stream.fleet.ready()
  return stream
}
