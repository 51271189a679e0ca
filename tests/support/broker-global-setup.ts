/** One broker for a whole vitest run; tests take its address with `inject('broker')` and use topics of their own. */
import type { TestProject } from 'vitest/node'
import { startBroker, type BrokerAddress } from '../../rig/broker/broker.ts'

declare module 'vitest' {
  interface ProvidedContext {
    broker: BrokerAddress
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const broker = await startBroker()
  const { kind, brokers, secured } = broker
  project.provide('broker', { kind, brokers, ...(secured === undefined ? {} : { secured }) })
  return async () => {
    await broker.stop()
  }
}
